/* SPDX-License-Identifier: Apache-2.0
 *
 * What the database's own files share: prepared statements by name, and the lock. Nobody else includes this.
 */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "common/cleanup.h"
#include "services/engine/database.h"

enum query {
    QUERY_ENGINE_ID,
    QUERY_IMAGE_ADD,
    QUERY_IMAGE_SHOW,
    QUERY_IMAGE_LAYER_ADD,
    QUERY_IMAGE_LAYERS,
    QUERY_IMAGE_NAMES,
    QUERY_IMAGES,
    QUERY_IMAGE,
    QUERY_IMAGE_RANGE,
    QUERY_IMAGE_HIDE,
    QUERY_IMAGES_FORGET,
    QUERY_NAME_SET,
    QUERY_NAME_TAGGED,
    QUERY_NAME_FIND,
    QUERY_NAME_DROP,
    QUERY_NAMES_DROP,
    QUERY_CONTENT_USED,
    QUERY_CONTENT_OF_TENANT,
    QUERY_IMAGE_BYTES,
    QUERY_CONTAINER_ADD,
    QUERY_CONTAINER,
    QUERY_CONTAINERS,
    QUERY_CONTAINER_NAME,
    QUERY_CONTAINER_RANGE,
    QUERY_CONTAINER_RENAME,
    QUERY_CONTAINER_STATE,
    QUERY_CONTAINER_STATUS,
    QUERY_CONTAINER_CHANGE,
    QUERY_CONTAINER_REQUEST,
    QUERY_CONTAINER_ENDED,
    QUERY_CONTAINER_RESTARTING,
    QUERY_CONTAINER_STOP_ASKED,
    QUERY_CONTAINERS_DUE,
    QUERY_ENGINE_BOOT,
    QUERY_ENGINE_BOOT_SET,
    QUERY_CONTAINER_RUNNING_STATUS,
    QUERY_CONTAINER_DELETE,
    QUERY_CONTAINER_COUNT,
    QUERY_COUNTS,
    QUERY_EVENT_NEWEST,
    QUERY_EVENT_ADD,
    QUERY_EVENTS_FORGET,
    QUERY_EVENTS,
    QUERY_REPOSITORY_TAGS,
    QUERY_REPOSITORY_KNOWN,
    QUERY_PACKED_FIND,
    QUERY_PACKED_SET,
    QUERY_PACKED_EXPIRE,
    QUERY_SOURCES_FIND,
    QUERY_SOURCE_SET,
    QUERY_SOURCES_EXPIRE,
    QUERY_ORIGIN_ADD,
    QUERY_ORIGIN,
    QUERY_ORIGINS_FORGET,
    QUERY_EXEC_ADD,
    QUERY_EXEC,
    QUERY_EXECS,
    QUERY_EXECS_RUNNING,
    QUERY_EXEC_COUNT,
    QUERY_EXEC_CLAIM,
    QUERY_EXEC_RUNS,
    QUERY_EXEC_ENDED,
    QUERY_EXEC_DELETE,
    QUERY_EXECS_DROP_CREATED,
    QUERY_EXECS_TRIM,
    QUERY_EXECS_FORGET,
    QUERY_HEALTH,
    QUERY_HEALTH_SET,
    QUERY_VOLUME_ADD,
    QUERY_VOLUME_ANNOUNCE,
    QUERY_VOLUME,
    QUERY_VOLUMES,
    QUERY_VOLUME_COUNT,
    QUERY_VOLUME_USERS,
    QUERY_VOLUME_USE_ADD,
    QUERY_VOLUME_DELETE,
    QUERY_NETWORK_ADD,
    QUERY_NETWORK,
    QUERY_NETWORKS,
    QUERY_NETWORK_NAME,
    QUERY_NETWORK_RANGE,
    QUERY_NETWORK_COUNT,
    QUERY_NETWORK_MADE,
    QUERY_NETWORK_CHANGE,
    QUERY_NETWORK_DELETE,
    QUERY_NETWORK_LAST,
    QUERY_NETWORK_SET_LAST,
    QUERY_SUBNETS,
    QUERY_SUBNET_ADD,
    QUERY_SUBNETS_DROP,
    QUERY_ENDPOINT_ADD,
    QUERY_ENDPOINTS_OF_CONTAINER,
    QUERY_ENDPOINTS_OF_NETWORK,
    QUERY_ENDPOINT_CHANGE,
    QUERY_ENDPOINT_DELETE,
    QUERY_ADDRESSES4,
    QUERY_ADDRESSES6,
    QUERY_ATTACHMENT,
    QUERY_ATTACHMENT_SET,
    QUERY_ATTACHMENT_TRIM,
    QUERY_CONTAINER_RUNS,
    QUERY_COUNT_,
};

struct database {
    sqlite3 *handle;
    pthread_mutex_t mutex; /* around each public function */
    sqlite3_stmt *statements[QUERY_COUNT_];
    void (*on_event)(uint32_t tenant_uid, void *argument); /* see database_events.h */
    void *on_event_argument;
    bool has_event; /* the transaction under way adds one, of this tenant */
    uint32_t event_tenant_uid;
};

/* What SQLite says went wrong with `what`: RESOURCE_EXHAUSTED on a full disk, else INTERNAL. Returns -1. */
int database_failure(struct database *database, const char *what, struct bh_error *error);

/* SQL text that gives no rows and is run once. */
int database_execute(struct database *database, const char *sql, struct bh_error *error);
/* Makes the schema, or brings that of an older engine up to date, all or nothing (database_schema.c). */
int database_schema_ensure(struct database *database, struct bh_error *error);

/* What a commit has to survive: see database.h. */
enum durability { SURVIVES_PROCESS, SURVIVES_POWER };

/* The lock for one scope: `database_lock_scope lock = database_lock(database);` */
struct database *database_lock(struct database *database);
void database_unlock(struct database **database);
#define database_locked bh_cleanup(database_unlock) __attribute__((unused)) struct database *

/* A statement, reset and unbound. Valid until its next use. */
sqlite3_stmt *query_begin(struct database *database, enum query query);
/* 1: a row is there; 0: done (the statement is reset); -1. */
int query_step(struct database *database, sqlite3_stmt *statement, struct bh_error *error);
/* Runs a statement that gives no rows. */
int query_run(struct database *database, sqlite3_stmt *statement, struct bh_error *error);

int transaction_begin(struct database *database, enum durability durability, struct bh_error *error);
int transaction_commit(struct database *database, struct bh_error *error);
void transaction_abandon(struct database *database);

/* Runs one bound statement, and writes down what it means, in a transaction of its own. An
 * event is only written if a row was there to change (database_containers.c). */
int run_alone(struct database *database, enum durability durability, sqlite3_stmt *statement,
              const struct engine_event *event, struct bh_error *error);

/* Within a transaction: adds an event to its tenant's journal (database_events.c). NULL adds none. */
int event_insert(struct database *database, const struct engine_event *event, struct bh_error *error);

void bind_digest(sqlite3_stmt *statement, int index, const void *bytes);
void bind_text(sqlite3_stmt *statement, int index, const char *text);
/* Packs `message` and binds it. */
int bind_message(sqlite3_stmt *statement, int index, const ProtobufCMessage *message, struct bh_error *error);
/* 32 bytes of a column; DATA_LOSS if it holds anything else. */
int column_digest(sqlite3_stmt *statement, int index, void *ret_bytes, struct bh_error *error);
int column_message(sqlite3_stmt *statement, int index, const ProtobufCMessageDescriptor *descriptor,
                   ProtobufCMessage **ret_message, struct bh_error *error);
/* Copies a text column into a buffer that was big enough when it was written. */
void column_text(sqlite3_stmt *statement, int index, char *buffer, size_t buffer_bytes);

/* database_volumes.c: which volumes a container has, in the transaction that adds its row. */
int volume_uses_add(struct database *database, const struct container_row *row, struct bh_error *error);

/* Grows an array of `item_bytes` items so that one more fits. */
int array_grow(void *items, size_t n_items, size_t item_bytes, struct bh_error *error);

/* With the lock held: one network (database_networks.c). 1 found, 0 not. */
struct network_row;
int network_read(struct database *database, const uint8_t *id, struct network_row *ret_row, struct bh_error *error);
