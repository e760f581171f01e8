/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes in the database; see database_volumes.h.
 */
#include "services/engine/database_volumes.h"

#include <string.h>

#include "services/engine/database_internal.h"

void volume_row_clear(struct volume_row *row)
{
    if (row->details) {
        bulkhead__create_volume__free_unpacked(row->details, NULL);
    }
    memset(row, 0, sizeof *row);
}

void volume_rows_free(struct volume_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        volume_row_clear(&rows[i]);
    }
    free(rows);
}

static int check_count(struct database *database, uint32_t tenant_uid, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_VOLUME_COUNT);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    int found = query_step(database, statement, error);
    int64_t count = found == 1 ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement);
    if (found < 0) {
        return -1;
    }
    return count < BH_VOLUMES_MAX
               ? 0
               : bh_error_set(error, BH_RESOURCE_EXHAUSTED, "there are %d volumes, which is the limit: remove some",
                              BH_VOLUMES_MAX);
}

static int insert(struct database *database, const struct volume_row *row, struct bh_error *error)
{
    sqlite3_stmt *add = query_begin(database, QUERY_VOLUME_ADD);
    (void)sqlite3_bind_int64(add, 1, row->tenant_uid);
    bind_text(add, 2, row->name);
    bind_digest(add, 3, row->id);
    (void)sqlite3_bind_int64(add, 4, row->created_ns);
    (void)sqlite3_bind_int(add, 5, row->anonymous);
    if (bind_message(add, 6, &row->details->base, error) < 0) {
        return -1;
    }
    int result = sqlite3_step(add);
    (void)sqlite3_reset(add);
    if (result == SQLITE_CONSTRAINT_PRIMARYKEY) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "the volume name \"%s\" is in use", row->name);
    }
    return result == SQLITE_DONE ? 0 : database_failure(database, "cannot add a volume", error);
}

int database_add_volume(struct database *database, const struct volume_row *row, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (check_count(database, row->tenant_uid, error) < 0 || transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (insert(database, row, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_announce_volume(struct database *database, const struct volume_row *row, const struct engine_event *event,
                             struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    sqlite3_stmt *announce = query_begin(database, QUERY_VOLUME_ANNOUNCE);
    bind_digest(announce, 1, row->id);
    if (query_run(database, announce, error) < 0 ||
        event_insert(database, sqlite3_changes(database->handle) > 0 ? event : NULL, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

/* Reads the volume a statement of VOLUME_COLUMNS stands on. */
static int read_volume(sqlite3_stmt *statement, struct volume_row *ret_row, struct bh_error *error)
{
    struct volume_row row = {
        .tenant_uid = (uint32_t)sqlite3_column_int64(statement, 0),
        .created_ns = sqlite3_column_int64(statement, 3),
        .anonymous = sqlite3_column_int(statement, 4) != 0,
        .uses = (uint32_t)sqlite3_column_int64(statement, 6),
        .announced = sqlite3_column_int(statement, 7) != 0,
    };
    ProtobufCMessage *details = NULL;
    column_text(statement, 1, row.name, sizeof row.name);
    if (column_digest(statement, 2, row.id, error) < 0 ||
        column_message(statement, 5, &bulkhead__create_volume__descriptor, &details, error) < 0) {
        return -1;
    }
    row.details = (Bulkhead__CreateVolume *)details;
    *ret_row = row;
    return 0;
}

int database_find_volume(struct database *database, uint32_t tenant_uid, const char *name, struct volume_row *ret_row,
                         struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_VOLUME);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    int found = query_step(database, statement, error);
    if (found == 1 && read_volume(statement, ret_row, error) < 0) {
        found = -1;
    }
    (void)sqlite3_reset(statement);
    return found;
}

int database_volumes(struct database *database, uint32_t tenant_uid, bool every_tenant, struct volume_row **ret_rows,
                     size_t *ret_n_rows, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    struct volume_row *rows = NULL;
    size_t n_rows = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_VOLUMES);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    (void)sqlite3_bind_int(statement, 2, every_tenant);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&rows, n_rows, sizeof *rows, error) < 0 || read_volume(statement, &rows[n_rows], error) < 0) {
            found = -1;
            break;
        }
        n_rows++;
    }
    if (found < 0) {
        (void)sqlite3_reset(statement);
        volume_rows_free(rows, n_rows);
        return -1;
    }
    *ret_rows = rows;
    *ret_n_rows = n_rows;
    return 0;
}

int database_volume_users(struct database *database, uint32_t tenant_uid, const char *name, uint8_t **ret_ids,
                          size_t *ret_n_ids, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    bh_autofree uint8_t *ids = NULL;
    size_t n_ids = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_VOLUME_USERS);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        if (array_grow(&ids, n_ids, ENGINE_ID_BYTES, error) < 0 ||
            column_digest(statement, 0, ids + n_ids * ENGINE_ID_BYTES, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
        n_ids++;
    }
    if (found < 0) {
        return -1;
    }
    *ret_ids = bh_steal_pointer(&ids);
    *ret_n_ids = n_ids;
    return 0;
}

static int delete_row(struct database *database, uint32_t tenant_uid, const char *name, struct bh_error *error)
{
    sqlite3_stmt *statement = query_begin(database, QUERY_VOLUME_DELETE);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, name);
    int result = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    if (result == SQLITE_CONSTRAINT_FOREIGNKEY) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "volume is in use");
    }
    if (result != SQLITE_DONE) {
        return database_failure(database, "cannot delete a volume", error);
    }
    return sqlite3_changes(database->handle) == 1 ? 0 : bh_error_set(error, BH_NOT_FOUND, "no such volume");
}

int database_delete_volume(struct database *database, uint32_t tenant_uid, const char *name,
                           const struct engine_event *event, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (delete_row(database, tenant_uid, name, error) < 0 || event_insert(database, event, error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int volume_uses_add(struct database *database, const struct container_row *row, struct bh_error *error)
{
    for (size_t i = 0; i < row->spec->n_mounts; i++) {
        const char *name = row->spec->mounts[i]->volume_name;
        if (!name[0]) {
            continue;
        }
        sqlite3_stmt *add = query_begin(database, QUERY_VOLUME_USE_ADD);
        bind_digest(add, 1, row->id);
        (void)sqlite3_bind_int64(add, 2, row->tenant_uid);
        bind_text(add, 3, name);
        int result = sqlite3_step(add);
        (void)sqlite3_reset(add);
        if (result == SQLITE_CONSTRAINT_FOREIGNKEY) {
            return bh_error_set(error, BH_NOT_FOUND, "get %s: no such volume", name);
        }
        if (result != SQLITE_DONE) {
            return database_failure(database, "cannot write down who uses a volume", error);
        }
    }
    return 0;
}
