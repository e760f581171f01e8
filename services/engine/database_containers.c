/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers in the database. A name is reserved by the row that has it: the table's UNIQUE constraint decides between
 * two creates of one name.
 */
#include <string.h>

#include "services/engine/database_internal.h"

void container_row_clear(struct container_row *row)
{
    if (row->request) {
        bulkhead__container_request__free_unpacked(row->request, NULL);
    }
    if (row->spec) {
        bulkhead__container_spec__free_unpacked(row->spec, NULL);
    }
    memset(row, 0, sizeof *row);
}

void container_rows_free(struct container_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        container_row_clear(&rows[i]);
    }
    free(rows);
}

/* Whether there may be one container more, over all tenants and of this one. */
static int check_room(struct database *database, uint32_t tenant_uid, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_COUNT);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    int found = query_step(database, statement, error);
    int64_t all = found == 1 ? sqlite3_column_int64(statement, 0) : 0;
    int64_t own = found == 1 ? sqlite3_column_int64(statement, 1) : 0;
    (void)sqlite3_reset(statement);
    if (all >= BH_CONTAINERS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "this engine already has %d containers, which is its limit: remove some first",
                            BH_CONTAINERS_MAX);
    }
    if (own >= BH_CONTAINERS_TENANT_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "this tenant already has %d containers, which is its limit: remove some first",
                            BH_CONTAINERS_TENANT_MAX);
    }
    return found < 0 ? -1 : 0;
}

static int insert_container(struct database *database, const struct container_row *row, struct bh_error *error)
{
    sqlite3_stmt *add = query_begin(database, QUERY_CONTAINER_ADD);
    bind_digest(add, 1, row->id);
    (void)sqlite3_bind_int64(add, 2, row->tenant_uid);
    bind_text(add, 3, row->name);
    bind_digest(add, 4, row->image.bytes);
    (void)sqlite3_bind_int(add, 5, row->auto_remove);
    (void)sqlite3_bind_int64(add, 6, row->created_ns);
    (void)sqlite3_bind_int(add, 7, (int)row->state.status);
    if (bind_message(add, 8, &row->request->base, error) < 0 || bind_message(add, 9, &row->spec->base, error) < 0) {
        return -1;
    }
    int result = sqlite3_step(add);
    (void)sqlite3_reset(add);
    if (result == SQLITE_CONSTRAINT_UNIQUE) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "the container name \"/%s\" is in use", row->name);
    }
    if (result != SQLITE_DONE) {
        return bh_error_set(error, (result & 0xff) == SQLITE_FULL ? BH_RESOURCE_EXHAUSTED : BH_INTERNAL,
                            "the engine's database: cannot add a container: %s", sqlite3_errmsg(database->handle));
    }
    if (sqlite3_changes(database->handle) == 0) {
        return bh_error_set(error, BH_NOT_FOUND, "No such image: %s", row->request->image);
    }
    return volume_uses_add(database, row, error);
}

int database_add_container(struct database *database, const struct container_row *row, const struct engine_event *event,
                           struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (check_room(database, row->tenant_uid, error) < 0) {
        return -1;
    }
    if (transaction_begin(database, row->auto_remove ? SURVIVES_PROCESS : SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (insert_container(database, row, error) < 0 || event_insert(database, event, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

/* Reads the container a statement of CONTAINER_COLUMNS stands on. */
static int read_container(sqlite3_stmt *statement, struct container_row *ret_row, struct bh_error *error)
{
    container_row_auto struct container_row row = {
        .tenant_uid = (uint32_t)sqlite3_column_int64(statement, 1),
        .auto_remove = sqlite3_column_int(statement, 4) != 0,
        .created_ns = sqlite3_column_int64(statement, 5),
        .state = {.status = (Bulkhead__ContainerStatus)sqlite3_column_int(statement, 7),
                  .pid = sqlite3_column_int(statement, 8),
                  .exit_code = sqlite3_column_int(statement, 9),
                  .oom_killed = sqlite3_column_int(statement, 10) != 0,
                  .started_at_ns = sqlite3_column_int64(statement, 11),
                  .finished_at_ns = sqlite3_column_int64(statement, 12),
                  .restart_count = (uint32_t)sqlite3_column_int64(statement, 6),
                  .restart_wait_ms = (uint32_t)sqlite3_column_int64(statement, 16),
                  .restart_at_ns = sqlite3_column_int64(statement, 17),
                  .stop_asked = (enum stop_asked)sqlite3_column_int(statement, 18)},
    };
    column_text(statement, 2, row.name, sizeof row.name);
    column_text(statement, 13, row.state.error, sizeof row.state.error);
    ProtobufCMessage *message = NULL;
    if (column_digest(statement, 0, row.id, error) < 0 || column_digest(statement, 3, row.image.bytes, error) < 0 ||
        column_message(statement, 14, &bulkhead__container_request__descriptor, &message, error) < 0) {
        return -1;
    }
    row.request = (Bulkhead__ContainerRequest *)message;
    if (column_message(statement, 15, &bulkhead__container_spec__descriptor, &message, error) < 0) {
        return -1;
    }
    row.spec = (Bulkhead__ContainerSpec *)message;
    *ret_row = row;
    memset(&row, 0, sizeof row);
    return 0;
}

int database_container(struct database *database, const uint8_t *id, struct container_row *ret_row,
                       struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER);
    bind_digest(statement, 1, id);
    int found = query_step(database, statement, error);
    if (found == 1) {
        found = read_container(statement, ret_row, error) < 0 ? -1 : 1;
    }
    (void)sqlite3_reset(statement);
    if (found == 0) {
        struct bh_digest digest;
        char hex[BH_DIGEST_HEX_SIZE];
        memcpy(digest.bytes, id, sizeof digest.bytes);
        return bh_error_set(error, BH_NOT_FOUND, "No such container: %s", bh_digest_hex(&digest, hex));
    }
    return found < 0 ? -1 : 0;
}

int database_containers(struct database *database, uint32_t tenant_uid, bool every_tenant,
                        struct container_row **ret_rows, size_t *ret_n_rows, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINERS);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int(statement, 2, every_tenant);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&rows, n_rows, sizeof *rows, error) < 0 || read_container(statement, &rows[n_rows], error) < 0) {
            found = -1;
            break;
        }
        n_rows++;
    }
    if (found < 0) {
        (void)sqlite3_reset(statement);
        container_rows_free(rows, n_rows);
        return -1;
    }
    *ret_rows = rows;
    *ret_n_rows = n_rows;
    return 0;
}

int database_find_container_name(struct database *database, uint32_t tenant_uid, const char *name, uint8_t *ret_id,
                                 struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_NAME);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    int found = query_step(database, statement, error);
    if (found == 1 && column_digest(statement, 0, ret_id, error) < 0) {
        found = -1;
    }
    (void)sqlite3_reset(statement);
    return found;
}

int database_find_container_range(struct database *database, uint32_t tenant_uid, const uint8_t *low,
                                  const uint8_t *high, uint8_t *ret_id, unsigned *ret_count, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_RANGE);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_digest(statement, 2, low);
    bind_digest(statement, 3, high);
    unsigned count = 0;
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (count++ == 0 && column_digest(statement, 0, ret_id, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
    }
    *ret_count = count;
    return found;
}

int database_rename_container(struct database *database, const uint8_t *id, const char *name,
                              const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_RENAME);
    bind_digest(statement, 1, id);
    bind_text(statement, 2, name);
    int result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    if (result == SQLITE_CONSTRAINT_UNIQUE) {
        transaction_abandon(database);
        return bh_error_set(error, BH_ALREADY_EXISTS, "the container name \"/%s\" is in use", name);
    }
    if (result != SQLITE_DONE) {
        (void)database_failure(database, "cannot rename a container", error);
        transaction_abandon(database);
        return -1;
    }
    if (event_insert(database, event, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int run_alone(struct database *database, enum durability durability, sqlite3_stmt *statement,
              const struct engine_event *event, struct bh_error *error)
{
    if (transaction_begin(database, durability, error) < 0) {
        return -1;
    }
    if (query_run(database, statement, error) < 0 ||
        event_insert(database, sqlite3_changes(database->handle) > 0 ? event : NULL, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_set_state(struct database *database, const uint8_t *id, const struct container_state *state,
                       const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_STATE);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)state->status);
    (void)sqlite3_bind_int(statement, 3, state->pid);
    (void)sqlite3_bind_int(statement, 4, state->exit_code);
    (void)sqlite3_bind_int(statement, 5, state->oom_killed);
    (void)sqlite3_bind_int64(statement, 6, state->started_at_ns);
    (void)sqlite3_bind_int64(statement, 7, state->finished_at_ns);
    bind_text(statement, 8, state->error);
    (void)sqlite3_bind_int64(statement, 9, state->restart_count);
    (void)sqlite3_bind_int64(statement, 10, state->restart_wait_ms);
    (void)sqlite3_bind_int64(statement, 11, state->restart_at_ns);
    return run_alone(database, SURVIVES_PROCESS, statement, event, error);
}

int database_set_status(struct database *database, const uint8_t *id, Bulkhead__ContainerStatus status,
                        struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_STATUS);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)status);
    return run_alone(database, SURVIVES_PROCESS, statement, NULL, error);
}

int database_set_running_status(struct database *database, const uint8_t *id, Bulkhead__ContainerStatus status,
                                const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_RUNNING_STATUS);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)status);
    return run_alone(database, SURVIVES_PROCESS, statement, event, error);
}

int database_delete_container(struct database *database, const uint8_t *id, bool auto_remove,
                              const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_DELETE);
    bind_digest(statement, 1, id);
    return run_alone(database, auto_remove ? SURVIVES_PROCESS : SURVIVES_POWER, statement, event, error);
}

int database_count(struct database *database, uint32_t tenant_uid, struct database_counts *ret_counts,
                   struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_COUNTS);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    int found = query_step(database, statement, error);
    if (found == 1) {
        *ret_counts = (struct database_counts){.running = (uint32_t)sqlite3_column_int64(statement, 0),
                                               .paused = (uint32_t)sqlite3_column_int64(statement, 1),
                                               .stopped = (uint32_t)sqlite3_column_int64(statement, 2),
                                               .images = (uint32_t)sqlite3_column_int64(statement, 3)};
    }
    (void)sqlite3_reset(statement);
    return found < 0 ? -1 : 0;
}
