/* SPDX-License-Identifier: Apache-2.0
 *
 * See database_origins.h.
 */
#include "services/engine/database_origins.h"

#include "services/engine/database_internal.h"

/* One statement, in a transaction of its own. */
static int change(struct database *database, enum query query, const struct bh_digest *digest, const char *registry,
                  struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    sqlite3_stmt *statement = query_begin(database, query);
    bind_digest(statement, 1, digest->bytes);
    if (registry) {
        bind_text(statement, 2, registry);
    }
    if (query_run(database, statement, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_add_origin(struct database *database, const struct bh_digest *digest, const char *registry,
                        struct bh_error *error)
{
    return change(database, QUERY_ORIGIN_ADD, digest, registry, error);
}

int database_forget_origins(struct database *database, const struct bh_digest *digest, struct bh_error *error)
{
    return change(database, QUERY_ORIGINS_FORGET, digest, NULL, error);
}

int database_is_origin(struct database *database, const struct bh_digest *digest, const char *registry,
                       struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_ORIGIN);
    bind_digest(statement, 1, digest->bytes);
    bind_text(statement, 2, registry);
    int found = query_step(database, statement, error);
    int is_origin = found == 1 ? sqlite3_column_int(statement, 0) : found;
    (void)sqlite3_reset(statement);
    return is_origin;
}
