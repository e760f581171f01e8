/* SPDX-License-Identifier: Apache-2.0
 *
 * See database_restart.h.
 */
#include "services/engine/database_restart.h"

#include <string.h>

#include "services/engine/database_internal.h"

int database_set_stop_asked(struct database *database, const uint8_t *id, enum stop_asked asked, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_STOP_ASKED);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)asked);
    return run_alone(database, SURVIVES_PROCESS, statement, NULL, error);
}

/* Runs one bound statement, with its event if it changed a row. 1 if it did. */
static int run_if(struct database *database, sqlite3_stmt *statement, const struct engine_event *event,
                  struct bh_error *error)
{
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    int result = query_run(database, statement, error);
    bool written = result == 0 && sqlite3_changes(database->handle) > 0;
    if (result < 0 || event_insert(database, written ? event : NULL, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return written;
}

int database_set_ended(struct database *database, const uint8_t *id, const struct container_state *state,
                       const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_ENDED);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)state->status);
    (void)sqlite3_bind_int(statement, 3, state->exit_code);
    (void)sqlite3_bind_int(statement, 4, state->oom_killed);
    (void)sqlite3_bind_int64(statement, 5, state->finished_at_ns);
    (void)sqlite3_bind_int64(statement, 6, state->restart_count);
    (void)sqlite3_bind_int64(statement, 7, state->restart_wait_ms);
    (void)sqlite3_bind_int64(statement, 8, state->restart_at_ns);
    bind_text(statement, 9, state->error);
    (void)sqlite3_bind_int64(statement, 10, state->started_at_ns);
    (void)sqlite3_bind_int(statement, 11, (int)state->stop_asked);
    return run_if(database, statement, event, error);
}

int database_set_restarting(struct database *database, const uint8_t *id, const struct container_state *state,
                            const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_RESTARTING);
    bind_digest(statement, 1, id);
    (void)sqlite3_bind_int(statement, 2, (int)state->stop_asked);
    (void)sqlite3_bind_int(statement, 3, state->exit_code);
    (void)sqlite3_bind_int(statement, 4, state->oom_killed);
    (void)sqlite3_bind_int64(statement, 5, state->finished_at_ns);
    (void)sqlite3_bind_int64(statement, 6, state->restart_count);
    (void)sqlite3_bind_int64(statement, 7, state->restart_wait_ms);
    (void)sqlite3_bind_int64(statement, 8, state->restart_at_ns);
    return run_if(database, statement, event, error);
}

int database_restarting(struct database *database, struct restart_due **ret_due, size_t *ret_n_due,
                        struct bh_error *error)
{
    database_locked lock = database_lock(database);
    bh_autofree struct restart_due *due = NULL;
    size_t n_due = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINERS_DUE);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&due, n_due, sizeof *due, error) < 0 || column_digest(statement, 0, due[n_due].id, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
        due[n_due++].at_ns = sqlite3_column_int64(statement, 1);
    }
    if (found < 0) {
        return -1;
    }
    *ret_due = bh_steal_pointer(&due);
    *ret_n_due = n_due;
    return 0;
}

int database_note_boot(struct database *database, const char *boot_id, bool *ret_new, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    char known[64] = "";
    sqlite3_stmt *statement = query_begin(database, QUERY_ENGINE_BOOT);
    int found = query_step(database, statement, error);
    if (found < 0) {
        return -1;
    }
    column_text(statement, 0, known, sizeof known);
    (void)sqlite3_reset(statement);
    *ret_new = known[0] != '\0' && strcmp(known, boot_id) != 0;
    if (strcmp(known, boot_id) == 0) {
        return 0;
    }
    statement = query_begin(database, QUERY_ENGINE_BOOT_SET);
    bind_text(statement, 1, boot_id);
    return run_alone(database, SURVIVES_PROCESS, statement, NULL, error);
}
