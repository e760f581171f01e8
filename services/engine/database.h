/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's memory: images, their names, and containers, in one SQLite file in the engine's own folder. Small
 * typed functions; each takes the database's lock for its own statements alone, so nobody ever waits for a
 * peer while holding it. What is stored was validated before; a row that does not unpack is DATA_LOSS.
 *
 * Durability. The journal is WAL. What a container is doing, and all of one that is removed when it ends (--rm), is
 * written with synchronous=NORMAL: a commit has reached the kernel when it returns, so that no death of a process can
 * undo it, and costs no disk flush. Everything else is written with synchronous=FULL: after a power cut an acknowledged
 * pull, load, tag, creation, change or removal still stands. A container whose row a power cut took is unknown to us
 * afterwards, and what the executor kept of it is removed at the next start.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"
#include "common/limits.h"
#include "container.pb-c.h"
#include "api_engine.pb-c.h"

#define ENGINE_ID_BYTES 32

struct database;
struct engine_event; /* event_record.h */

/* Opens or makes the file at `path`, and brings its schema up to date. A file of a newer schema is FAILED_PRECONDITION.
 */
int database_open(const char *path, struct database **ret_database, struct bh_error *error);
void database_close(struct database *database);
void database_cleanup(struct database **database);
#define database_auto bh_cleanup(database_cleanup)

/* The engine's own id as 36 characters of a UUID, made when the file was. */
int database_engine_id(struct database *database, char ret_id[static 37], struct bh_error *error);

/* ---- images ------------------------------------------------------------------------------------ */

struct image_layer {
    struct bh_digest digest; /* of the compressed blob */
    uint64_t size_bytes;     /* content */
};

/* One image of one tenant. Owns what it points to. */
struct image_row {
    uint32_t tenant_uid;
    struct bh_digest id;       /* digest of its config */
    struct bh_digest manifest; /* of the manifest it was pulled by; all zero after a load */
    Bulkhead__ImageConfig *config;
    struct image_layer *layers; /* base first */
    size_t n_layers;
    char **names; /* whole references, tags and digests, sorted */
    size_t n_names;
    int64_t last_tag_ns;
    uint32_t containers;
    bool visible;    /* false: kept for its containers only */
    bool has_parent; /* made here from another image (commit) */
    struct bh_digest parent;
};
void image_row_clear(struct image_row *row);
void image_rows_free(struct image_row *rows, size_t n_rows);
#define image_row_auto bh_cleanup(image_row_clear)

/* Adds the image and moves `names` (whole references) to it, all or nothing. An image that is known keeps its layers:
 * they are the same content, and containers may stand on them. `tagged_ns`: when somebody gave it a name here; 0: it
 * came with its names. *ret_moved, if wanted, tells whether any name meant something else before. The events are
 * written in the same transaction. */
int database_add_image(struct database *database, const struct image_row *row, const char *const *names, size_t n_names,
                       int64_t tagged_ns, const struct engine_event *const *events, size_t n_events, bool *ret_moved,
                       struct bh_error *error);
/* The same for several images with the names in their rows: all of them or none. */
int database_add_images(struct database *database, const struct image_row *rows, size_t n_rows,
                        const struct engine_event *const *events, size_t n_events, struct bh_error *error);
/* Visible images of a tenant, in no order. */
int database_images(struct database *database, uint32_t tenant_uid, struct image_row **ret_rows, size_t *ret_n_rows,
                    struct bh_error *error);
/* ... and those that are kept for their containers. */
int database_images_kept(struct database *database, uint32_t tenant_uid, struct image_row **ret_rows,
                         size_t *ret_n_rows, struct bh_error *error);
/* One image, visible or kept for its containers. NOT_FOUND says only that. */
int database_image(struct database *database, uint32_t tenant_uid, const struct bh_digest *id,
                   struct image_row *ret_row, struct bh_error *error);
/* What a name means. 1 found, 0 not. */
int database_find_name(struct database *database, uint32_t tenant_uid, const char *name, struct bh_digest *ret_id,
                       struct bh_error *error);
/* The visible images whose ids lie between two bounds (inclusive): how many, at most 2, and the first. */
int database_find_image_range(struct database *database, uint32_t tenant_uid, const uint8_t *low, const uint8_t *high,
                              struct bh_digest *ret_id, unsigned *ret_count, struct bh_error *error);
/* Each is written in one transaction with its event. */
int database_set_name(struct database *database, uint32_t tenant_uid, const char *name, const struct bh_digest *id,
                      int64_t now_ns, const struct engine_event *event, struct bh_error *error);
int database_drop_name(struct database *database, uint32_t tenant_uid, const char *name,
                       const struct engine_event *event, struct bh_error *error);
/* Takes an image and all its names from the tenant's sight. Its row stays while a container uses it. */
int database_hide_image(struct database *database, uint32_t tenant_uid, const struct bh_digest *id,
                        const struct engine_event *event, struct bh_error *error);
/* Forgets hidden images that no container uses any more. *ret_any, if wanted, tells whether there were any. */
int database_forget_images(struct database *database, bool *ret_any, struct bh_error *error);
/* Does any image of anybody (or of this tenant) need this content? 1 or 0. */
int database_content_used(struct database *database, const struct bh_digest *digest, struct bh_error *error);
int database_tenant_has_content(struct database *database, uint32_t tenant_uid, const struct bh_digest *digest,
                                struct bh_error *error);
/* The layers of all images of a tenant together, each once. */
int database_image_bytes(struct database *database, uint32_t tenant_uid, uint64_t *ret_bytes, struct bh_error *error);

/* ---- containers -------------------------------------------------------------------------------- */

/* Where a function takes an event, what happened and the event that tells it are written together or not at all. NULL:
 * it is not worth telling. */

/* Whether a client asked the container to stop since it was last started by one: what its restart policy heeds. */
enum stop_asked {
    STOP_NOT_ASKED = 0,
    STOP_BY_SIGNAL = 1, /* by a signal that is not the one it stops by: unless-stopped holds it for stopped */
    STOP_ASKED = 2,     /* no policy starts it again */
};

struct container_state {
    Bulkhead__ContainerStatus status;
    int32_t pid;
    int32_t exit_code;
    bool oom_killed;
    int64_t started_at_ns;
    int64_t finished_at_ns;
    char error[BH_ERROR_MESSAGE_SIZE];
    /* by its restart policy */
    uint32_t restart_count;
    uint32_t restart_wait_ms;   /* the last wait */
    int64_t restart_at_ns;      /* RESTARTING: when it ends */
    enum stop_asked stop_asked; /* written by database_set_stop_asked() alone */
};

/* One container. Owns what it points to. */
struct container_row {
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    char name[BH_NAME_BYTES_MAX + 1];
    struct bh_digest image;
    bool auto_remove;
    int64_t created_ns;
    struct container_state state;
    Bulkhead__ContainerRequest *request;
    Bulkhead__ContainerSpec *spec;
};
void container_row_clear(struct container_row *row);
void container_rows_free(struct container_row *rows, size_t n_rows);
#define container_row_auto bh_cleanup(container_row_clear)

/* Adds a container. ALREADY_EXISTS if the tenant has one of that name, NOT_FOUND if its image is gone,
 * RESOURCE_EXHAUSTED at BH_CONTAINERS_MAX, and BH_CONTAINERS_TENANT_MAX of one tenant. */
int database_add_container(struct database *database, const struct container_row *row, const struct engine_event *event,
                           struct bh_error *error);
int database_container(struct database *database, const uint8_t *id, struct container_row *ret_row,
                       struct bh_error *error);
/* A tenant's containers, or (every_tenant) everybody's; newest first. */
int database_containers(struct database *database, uint32_t tenant_uid, bool every_tenant,
                        struct container_row **ret_rows, size_t *ret_n_rows, struct bh_error *error);
/* 1 found, 0 not. */
int database_find_container_name(struct database *database, uint32_t tenant_uid, const char *name, uint8_t *ret_id,
                                 struct bh_error *error);
int database_find_container_range(struct database *database, uint32_t tenant_uid, const uint8_t *low,
                                  const uint8_t *high, uint8_t *ret_id, unsigned *ret_count, struct bh_error *error);
int database_rename_container(struct database *database, const uint8_t *id, const char *name,
                              const struct engine_event *event, struct bh_error *error);
int database_set_state(struct database *database, const uint8_t *id, const struct container_state *state,
                       const struct engine_event *event, struct bh_error *error);
int database_set_status(struct database *database, const uint8_t *id, Bulkhead__ContainerStatus status,
                        struct bh_error *error);
/* The same, but only for a container that is running or paused. */
int database_set_running_status(struct database *database, const uint8_t *id, Bulkhead__ContainerStatus status,
                                const struct engine_event *event, struct bh_error *error);
int database_delete_container(struct database *database, const uint8_t *id, bool auto_remove,
                              const struct engine_event *event, struct bh_error *error);
/* How many of a tenant's containers are running, paused, and neither; and how many images it sees. */
struct database_counts {
    uint32_t running, paused, stopped, images;
};
int database_count(struct database *database, uint32_t tenant_uid, struct database_counts *ret_counts,
                   struct bh_error *error);
