/* SPDX-License-Identifier: Apache-2.0
 *
 * Execs and health in the database; see database_execs.h.
 */
#include "services/engine/database_execs.h"

#include <string.h>

#include "services/engine/database_internal.h"

#define TRIM_ROWS 256 /* of ended execs, when a container has too many */

void exec_row_clear(struct exec_row *row)
{
    if (row->request) {
        bulkhead__exec_request__free_unpacked(row->request, NULL);
    }
    memset(row, 0, sizeof *row);
}

void exec_rows_free(struct exec_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        exec_row_clear(&rows[i]);
    }
    free(rows);
}

/* Runs one bound statement in a transaction that survives the death of processes. Returns how many rows it changed. */
static int run_counting(struct database *database, sqlite3_stmt *statement, struct bh_error *error)
{
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    int changes = query_run(database, statement, error) < 0 ? -1 : sqlite3_changes(database->handle);
    if (changes < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return changes;
}

static int count_execs(struct database *database, const uint8_t *container, uint32_t tenant_uid, int *ret_container,
                       int *ret_running, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_EXEC_COUNT);
    bind_digest(statement, 1, container);
    (void)sqlite3_bind_int64(statement, 2, tenant_uid);
    int found = query_step(database, statement, error);
    *ret_container = found == 1 ? sqlite3_column_int(statement, 0) : 0;
    *ret_running = found == 1 ? sqlite3_column_int(statement, 1) : 0;
    (void)sqlite3_reset(statement);
    return found < 0 ? -1 : 0;
}

/* Room for one more: of those that have ended the oldest go. */
static int make_room(struct database *database, const struct exec_row *row, struct bh_error *error)
{
    int of_container, running;
    if (count_execs(database, row->container, row->tenant_uid, &of_container, &running, error) < 0) {
        return -1;
    }
    if (of_container < BH_EXECS_CONTAINER_MAX) {
        return 0;
    }
    sqlite3_stmt *trim = query_begin(database, QUERY_EXECS_TRIM);
    bind_digest(trim, 1, row->container);
    (void)sqlite3_bind_int(trim, 2, TRIM_ROWS);
    int gone = run_counting(database, trim, error);
    return gone != 0 ? gone
                     : bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                                    "the container has %d execs that have not ended, which is the limit",
                                    BH_EXECS_CONTAINER_MAX);
}

int database_add_exec(struct database *database, const struct exec_row *row, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (make_room(database, row, error) < 0) {
        return -1;
    }
    sqlite3_stmt *add = query_begin(database, QUERY_EXEC_ADD);
    bind_digest(add, 1, row->id);
    bind_digest(add, 2, row->container);
    (void)sqlite3_bind_int64(add, 3, row->tenant_uid);
    (void)sqlite3_bind_int64(add, 4, row->created_ns);
    (void)sqlite3_bind_int(add, 5, row->probe);
    if (bind_message(add, 6, &row->request->base, error) < 0) {
        return -1;
    }
    int added = run_counting(database, add, error);
    return added == 0 ? bh_error_set(error, BH_NOT_FOUND, "the container was removed meanwhile") : added < 0 ? -1 : 0;
}

static int read_exec(sqlite3_stmt *statement, struct exec_row *ret_row, struct bh_error *error)
{
    struct exec_row row = {.tenant_uid = (uint32_t)sqlite3_column_int64(statement, 2),
                           .status = (Bulkhead__ExecStatus)sqlite3_column_int(statement, 3),
                           .created_ns = sqlite3_column_int64(statement, 4),
                           .pid = sqlite3_column_int(statement, 5),
                           .exit_code = sqlite3_column_int(statement, 6),
                           .finished_at_ns = sqlite3_column_int64(statement, 7),
                           .probe = sqlite3_column_int(statement, 8) != 0};
    ProtobufCMessage *message = NULL;
    if (column_digest(statement, 0, row.id, error) < 0 || column_digest(statement, 1, row.container, error) < 0 ||
        column_message(statement, 9, &bulkhead__exec_request__descriptor, &message, error) < 0) {
        return -1;
    }
    row.request = (Bulkhead__ExecRequest *)message;
    *ret_row = row;
    return 0;
}

int database_exec(struct database *database, uint32_t tenant_uid, const uint8_t *id, struct exec_row *ret_row,
                  struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXEC);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int64(statement, 2, tenant_uid);
    int found = query_step(database, statement, error);
    if (found == 1) {
        found = read_exec(statement, ret_row, error) < 0 ? -1 : 1;
    }
    (void)sqlite3_reset(statement);
    return found;
}

static int read_all(struct database *database, sqlite3_stmt *statement, struct exec_row **ret_rows, size_t *ret_n_rows,
                    struct bh_error *error)
{
    struct exec_row *rows = NULL;
    size_t n_rows = 0;
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&rows, n_rows, sizeof *rows, error) < 0 || read_exec(statement, &rows[n_rows], error) < 0) {
            found = -1;
            break;
        }
        n_rows++;
    }
    if (found < 0) {
        (void)sqlite3_reset(statement);
        exec_rows_free(rows, n_rows);
        return -1;
    }
    *ret_rows = rows;
    *ret_n_rows = n_rows;
    return 0;
}

int database_execs(struct database *database, const uint8_t *container, struct exec_row **ret_rows, size_t *ret_n_rows,
                   struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXECS);
    bind_digest(statement, 1, container);
    return read_all(database, statement, ret_rows, ret_n_rows, error);
}

int database_running_execs(struct database *database, struct exec_row **ret_rows, size_t *ret_n_rows,
                           struct bh_error *error)
{
    database_locked lock = database_lock(database);
    return read_all(database, query_begin(database, QUERY_EXECS_RUNNING), ret_rows, ret_n_rows, error);
}

int database_claim_exec(struct database *database, const struct exec_row *row, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    int of_container, running;
    if (count_execs(database, row->container, row->tenant_uid, &of_container, &running, error) < 0) {
        return -1;
    }
    if (running >= BH_EXECS_TENANT_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%d execs of this tenant are running, which is the limit",
                            BH_EXECS_TENANT_MAX);
    }
    sqlite3_stmt *statement = query_begin(database, QUERY_EXEC_CLAIM);
    bind_digest(statement, 1, row->id);
    return run_counting(database, statement, error);
}

int database_exec_runs(struct database *database, const uint8_t *id, int32_t pid, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXEC_RUNS);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, pid);
    return run_counting(database, statement, error) < 0 ? -1 : 0;
}

int database_exec_ended(struct database *database, const uint8_t *id, int32_t exit_code, int64_t finished_at_ns,
                        struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXEC_ENDED);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, exit_code);
    (void)sqlite3_bind_int64(statement, 3, finished_at_ns);
    return run_counting(database, statement, error);
}

int database_delete_exec(struct database *database, const uint8_t *id, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXEC_DELETE);
    bind_digest(statement, 1, id);
    return run_counting(database, statement, error) < 0 ? -1 : 0;
}

int database_drop_created_execs(struct database *database, const uint8_t *container, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXECS_DROP_CREATED);
    bind_digest(statement, 1, container);
    return run_counting(database, statement, error) < 0 ? -1 : 0;
}

int database_forget_execs(struct database *database, int64_t before_ns, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_EXECS_FORGET);
    (void)sqlite3_bind_int64(statement, 1, before_ns);
    return run_counting(database, statement, error) < 0 ? -1 : 0;
}

int database_health(struct database *database, const uint8_t *container, Bulkhead__Health **ret_health,
                    struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_HEALTH);
    ProtobufCMessage *message = NULL;
    bind_digest(statement, 1, container);
    int found = query_step(database, statement, error);
    if (found == 1) {
        found = column_message(statement, 0, &bulkhead__health__descriptor, &message, error) < 0 ? -1 : 1;
    }
    (void)sqlite3_reset(statement);
    if (found == 1) {
        *ret_health = (Bulkhead__Health *)message;
    }
    return found;
}

int database_set_health(struct database *database, const uint8_t *container, const Bulkhead__Health *health,
                        struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_HEALTH_SET);
    bind_digest(statement, 1, container);
    return bind_message(statement, 2, &health->base, error) < 0 || run_counting(database, statement, error) < 0 ? -1
                                                                                                                : 0;
}
