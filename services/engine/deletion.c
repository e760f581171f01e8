/* SPDX-License-Identifier: Apache-2.0
 *
 * See deletion.h. Conflicts are looked for in the database as it is at that moment; a container that is made of the
 * image in the moment after keeps it: the row then stays, hidden, until that container is gone.
 */
#include "services/engine/deletion.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "services/engine/containers.h"
#include "services/engine/deletion_names.h"
#include "services/engine/garbage.h"
#include "services/engine/image_chains.h"
#include "services/engine/image_events.h"
#include "services/engine/images.h"
#include "services/engine/resolve.h"

#define SHORT_ID 12

int deletion_begin(struct job *job, struct deletion *deletion, struct bh_error *error)
{
    *deletion = (struct deletion){.job = job};
    return database_images_kept(job->engine->database, job->tenant_uid, &deletion->rows, &deletion->n_rows, error);
}

void deletion_end(struct deletion *deletion)
{
    image_rows_free(deletion->rows, deletion->n_rows);
    *deletion = (struct deletion){0};
}

/* ---- telling -------------------------------------------------------------------------------------- */

static void tell(struct job *job, Bulkhead__ImageDeleted *deleted)
{
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DELETED;
    packet.image_deleted = deleted;
    (void)job_more(job, &packet);
}

static void tell_deleted(struct job *job, const struct bh_digest *id)
{
    Bulkhead__ImageDeleted deleted = BULKHEAD__IMAGE_DELETED__INIT;
    deleted.what_case = BULKHEAD__IMAGE_DELETED__WHAT_DELETED;
    deleted.deleted = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)id->bytes};
    tell(job, &deleted);
}

/* Takes one name away. */
static int untag(struct deletion *deletion, const struct image_row *row, const char *name, struct bh_error *error)
{
    struct job *job = deletion->job;
    struct bh_reference reference;
    struct image_event event;
    char familiar[BH_REFERENCE_BYTES_MAX + 1];
    Bulkhead__ImageDeleted deleted = BULKHEAD__IMAGE_DELETED__INIT;
    image_event_fill(&event, job->tenant_uid, &row->id, row, "untag", NULL);
    if (bh_reference_parse(name, &reference, error) < 0 ||
        database_drop_name(job->engine->database, job->tenant_uid, name, &event.event, error) < 0) {
        return -1;
    }
    (void)bh_reference_familiar(&reference, familiar, sizeof familiar);
    deleted.what_case = BULKHEAD__IMAGE_DELETED__WHAT_UNTAGGED;
    deleted.untagged = familiar;
    tell(job, &deleted);
    return 0;
}

/* ---- conflicts ------------------------------------------------------------------------------------ */

/* A container of the image, a running one first. 1 found, 0 none. */
static int find_user(struct job *job, const struct image_row *row, char ret_id[static BH_DIGEST_HEX_SIZE],
                     bool *ret_runs, struct bh_error *error)
{
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    int found = 0;
    *ret_runs = false;
    if (row->containers == 0) {
        return 0;
    }
    if (database_containers(job->engine->database, job->tenant_uid, false, &rows, &n_rows, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < n_rows && !*ret_runs; i++) {
        if (bh_digest_equal(&rows[i].image, &row->id)) {
            struct bh_digest id;
            found = 1;
            *ret_runs = container_runs(&rows[i].state);
            memcpy(id.bytes, rows[i].id, sizeof id.bytes);
            (void)bh_digest_hex(&id, ret_id);
            ret_id[SHORT_ID] = '\0';
        }
    }
    container_rows_free(rows, n_rows);
    return found;
}

static const char *short_id(const struct image_row *row, char hex[static BH_DIGEST_HEX_SIZE])
{
    (void)bh_digest_hex(&row->id, hex);
    hex[SHORT_ID] = '\0';
    return hex;
}

/* What stands against deleting an image. */
enum conflict_kinds {
    CONFLICT_HARD = 1,       /* children, a running container: force does not help */
    CONFLICT_REFERENCES = 2, /* names */
    CONFLICT_STOPPED = 4,    /* a stopped container */
};

/* 1: there is a conflict of one of `kinds`, and *error says so; *ret_used: it is a container. */
static int find_conflict(struct deletion *deletion, const struct image_row *row, unsigned kinds, bool *ret_used,
                         struct bh_error *error)
{
    char user[BH_DIGEST_HEX_SIZE], image[BH_DIGEST_HEX_SIZE];
    bool runs = false;
    *ret_used = false;
    if (image_has_children(row, deletion->rows, deletion->n_rows)) {
        (void)bh_error_set(error, BH_FAILED_PRECONDITION,
                           "conflict: unable to delete %s (cannot be forced) - image has dependent child images",
                           short_id(row, image));
        return 1;
    }
    int used = find_user(deletion->job, row, user, &runs, error);
    if (used < 0) {
        return -1;
    }
    if (!runs && kinds & CONFLICT_REFERENCES && row->n_names > 0) {
        (void)bh_error_set(
            error, BH_FAILED_PRECONDITION,
            "conflict: unable to delete %s (must be forced) - image is referenced in multiple repositories",
            short_id(row, image));
        return 1;
    }
    if (used == 0 || (!runs && !(kinds & CONFLICT_STOPPED))) {
        return 0;
    }
    *ret_used = true;
    (void)bh_error_set(
        error, BH_FAILED_PRECONDITION, "conflict: unable to delete %s (%s) - image is being used by %s container %s",
        short_id(row, image), runs ? "cannot be forced" : "must be forced", runs ? "running" : "stopped", user);
    return 1;
}

/* ---- the image ------------------------------------------------------------------------------------ */

/* Tells which layers no other image of this tenant has, topmost first, and forgets the row. */
static int drop_layers(struct deletion *deletion, const struct image_row *row, struct bh_error *error)
{
    struct bh_digest chain[BH_LAYERS_MAX];
    size_t kept = row->containers > 0 ? row->n_layers : image_chain_shared(row, deletion->rows, deletion->n_rows);
    if (row->n_layers > BH_LAYERS_MAX || image_chain_ids(row, chain, error) < 0) {
        return -1;
    }
    for (size_t i = row->n_layers; i-- > kept;) {
        tell_deleted(deletion->job, &chain[i]);
        deletion->reclaimed_bytes += row->layers[i].size_bytes;
    }
    for (size_t i = 0; i < deletion->n_rows; i++) {
        if (!bh_digest_equal(&deletion->rows[i].id, &row->id)) {
            continue;
        }
        if (row->containers > 0) {
            deletion->rows[i].visible = false;
        } else {
            image_row_clear(&deletion->rows[i]);
            deletion->rows[i] = deletion->rows[--deletion->n_rows];
        }
        break;
    }
    return 0;
}

static int delete_whole(struct deletion *deletion, const struct image_row *row, struct bh_error *error)
{
    struct job *job = deletion->job;
    for (size_t i = 0; i < row->n_names; i++) {
        if (untag(deletion, row, row->names[i], error) < 0) {
            return -1;
        }
    }
    struct image_event event;
    image_event_fill(&event, job->tenant_uid, &row->id, NULL, "delete", NULL);
    if (database_hide_image(job->engine->database, job->tenant_uid, &row->id, &event.event, error) < 0) {
        return -1;
    }
    tell_deleted(job, &row->id);
    garbage_start(job->engine);
    return drop_layers(deletion, row, error);
}

/* Deletes the image, then its nameless parents. `quiet`: a name of it went already, so what it is still needed for is
 * no failure. */
static int delete_with_parents(struct deletion *deletion, const struct bh_digest *image, bool quiet,
                               struct bh_error *error)
{
    struct job *job = deletion->job;
    struct bh_digest id = *image;
    for (bool force = deletion->force;; force = false, quiet = true) {
        image_row_auto struct image_row row = {0};
        bool used;
        if (job_check(job, error) < 0) {
            return -1;
        }
        if (database_image(job->engine->database, job->tenant_uid, &id, &row, error) < 0) {
            return quiet && error->code == BH_NOT_FOUND ? 0 : -1; /* somebody was faster */
        }
        int conflict = find_conflict(deletion, &row, force ? CONFLICT_HARD : ~0U, &used, error);
        bool dangling = row.n_names == 0 && !image_has_children(&row, deletion->rows, deletion->n_rows);
        if (conflict != 0) {
            return conflict > 0 && quiet && (!dangling || used) ? 0 : -1;
        }
        if (!row.visible) {
            return 0;
        }
        if (delete_whole(deletion, &row, error) < 0) {
            return -1;
        }
        if (!deletion->prune_parents || !row.has_parent) {
            return 0;
        }
        id = row.parent;
    }
}

/* ---- by name, by id ------------------------------------------------------------------------------- */

static int delete_by_name(struct deletion *deletion, const struct image_row *row, const char *name,
                          const char *reference, struct bh_error *error)
{
    char user[BH_DIGEST_HEX_SIZE], image[BH_DIGEST_HEX_SIZE];
    bool runs;
    if (!deletion->force && names_are_single(row->names, row->n_names)) {
        int used = find_user(deletion->job, row, user, &runs, error);
        if (used != 0) {
            return used < 0
                       ? -1
                       : bh_error_set(error, BH_FAILED_PRECONDITION,
                                      "conflict: unable to remove repository reference \"%s\" (must force) - container "
                                      "%s is using its referenced image %s",
                                      reference, user, short_id(row, image));
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < row->n_names; i++) {
        if (!names_go_together(row->names, row->n_names, name, row->names[i])) {
            left++;
        } else if (untag(deletion, row, row->names[i], error) < 0) {
            return -1;
        }
    }
    return left > 0 ? 0 : delete_with_parents(deletion, &row->id, true, error);
}

static int delete_by_id(struct deletion *deletion, const struct image_row *row, struct bh_error *error)
{
    if (names_are_single(row->names, row->n_names)) {
        bool used;
        if (find_conflict(deletion, row, deletion->force ? CONFLICT_HARD : CONFLICT_HARD | CONFLICT_STOPPED, &used,
                          error) != 0) {
            return -1;
        }
        for (size_t i = 0; i < row->n_names; i++) {
            if (untag(deletion, row, row->names[i], error) < 0) {
                return -1;
            }
        }
    }
    return delete_with_parents(deletion, &row->id, false, error);
}

int deletion_run(struct deletion *deletion, const char *reference, struct bh_error *error)
{
    struct job *job = deletion->job;
    image_row_auto struct image_row row = {0};
    struct bh_digest id;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (resolve_image(job->engine->database, job->tenant_uid, reference, &id, name, error) < 0 ||
        database_image(job->engine->database, job->tenant_uid, &id, &row, error) < 0) {
        return -1;
    }
    return *name ? delete_by_name(deletion, &row, name, reference, error) : delete_by_id(deletion, &row, error);
}
