/* SPDX-License-Identifier: Apache-2.0
 *
 * See database_change.h.
 */
#include "services/engine/database_change.h"

#include "services/engine/database_internal.h"

int database_change_container(struct database *database, const struct container_row *row,
                              const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_CHANGE);
    bind_digest(statement, 1, row->id);
    if (bind_message(statement, 2, &row->request->base, error) < 0 ||
        bind_message(statement, 3, &row->spec->base, error) < 0 || query_run(database, statement, error) < 0 ||
        event_insert(database, event, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_change_request(struct database *database, const uint8_t *id, const Bulkhead__ContainerRequest *request,
                            bool durable, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_CONTAINER_REQUEST);
    bind_digest(statement, 1, id);
    return bind_message(statement, 2, &request->base, error) < 0
               ? -1
               : run_alone(database, durable ? SURVIVES_POWER : SURVIVES_PROCESS, statement, NULL, error);
}
