/* SPDX-License-Identifier: Apache-2.0
 *
 * See database_push.h.
 */
#include "services/engine/database_push.h"

#include <errno.h>
#include <string.h>

#include "services/engine/database_internal.h"

int database_repository_tags(struct database *database, uint32_t tenant_uid, const char *repository,
                             struct repository_tag **ret_tags, size_t *ret_n_tags, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    bh_autofree struct repository_tag *tags = NULL;
    size_t n_tags = 0, skip = strlen(repository) + 1;
    sqlite3_stmt *statement = query_begin(database, QUERY_REPOSITORY_TAGS);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, repository);
    int found;
    while ((found = query_step(database, statement, error)) == 1) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (array_grow(&tags, n_tags, sizeof *tags, error) < 0 ||
            column_digest(statement, 1, tags[n_tags].image.bytes, error) < 0) {
            (void)sqlite3_reset(statement);
            return -1;
        }
        (void)snprintf(tags[n_tags++].tag, sizeof tags->tag, "%s", name + skip);
    }
    if (found < 0) {
        return -1;
    }
    *ret_tags = bh_steal_pointer(&tags);
    *ret_n_tags = n_tags;
    return 0;
}

int database_repository_known(struct database *database, uint32_t tenant_uid, const char *repository,
                              struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_REPOSITORY_KNOWN);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, repository);
    int found = query_step(database, statement, error);
    int known = found == 1 ? sqlite3_column_int(statement, 0) : found;
    (void)sqlite3_reset(statement);
    return known;
}

int database_packed_layer(struct database *database, const struct bh_digest *source, struct packed_layer *ret_packed,
                          struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_PACKED_FIND);
    bind_digest(statement, 1, source->bytes);
    int found = query_step(database, statement, error);
    if (found == 1) {
        ret_packed->size_bytes = (uint64_t)sqlite3_column_int64(statement, 1);
        ret_packed->compression = (uint32_t)sqlite3_column_int(statement, 2);
        if (column_digest(statement, 0, ret_packed->digest.bytes, error) < 0) {
            found = -1;
        }
    }
    (void)sqlite3_reset(statement);
    return found;
}

int database_set_packed_layer(struct database *database, const struct bh_digest *source,
                              const struct packed_layer *packed, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    sqlite3_stmt *set = query_begin(database, QUERY_PACKED_SET);
    bind_digest(set, 1, source->bytes);
    bind_digest(set, 2, packed->digest.bytes);
    (void)sqlite3_bind_int64(set, 3, (sqlite3_int64)packed->size_bytes);
    (void)sqlite3_bind_int64(set, 4, packed->compression);
    if (query_run(database, set, error) < 0 ||
        query_run(database, query_begin(database, QUERY_PACKED_EXPIRE), error) < 0 ||
        transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_blob_sources(struct database *database, uint32_t tenant_uid, const char *registry,
                          const struct bh_digest *digest, const char *but, char **ret_repositories, size_t max,
                          size_t *ret_n_repositories, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    size_t n = 0;
    sqlite3_stmt *statement = query_begin(database, QUERY_SOURCES_FIND);
    (void)sqlite3_bind_int64(statement, 1, tenant_uid);
    bind_text(statement, 2, registry);
    bind_digest(statement, 3, digest->bytes);
    bind_text(statement, 4, but);
    (void)sqlite3_bind_int64(statement, 5, (sqlite3_int64)max);
    int found;
    while ((found = query_step(database, statement, error)) == 1 && n < max) {
        ret_repositories[n] = strdup((const char *)sqlite3_column_text(statement, 0));
        if (!ret_repositories[n]) {
            found = bh_error_errno(error, ENOMEM, "read where a blob was met");
            break;
        }
        n++;
    }
    (void)sqlite3_reset(statement);
    while (found < 0 && n > 0) {
        free(ret_repositories[--n]);
    }
    *ret_n_repositories = n;
    return found < 0 ? -1 : 0;
}

int database_add_blob_sources(struct database *database, uint32_t tenant_uid, const char *registry,
                              const char *repository, const struct bh_digest *digests, size_t n_digests, int64_t now_ns,
                              struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_PROCESS, error) < 0) {
        return -1;
    }
    int result = 0;
    for (size_t i = 0; result == 0 && i < n_digests; i++) {
        sqlite3_stmt *set = query_begin(database, QUERY_SOURCE_SET);
        (void)sqlite3_bind_int64(set, 1, tenant_uid);
        bind_text(set, 2, registry);
        bind_digest(set, 3, digests[i].bytes);
        bind_text(set, 4, repository);
        (void)sqlite3_bind_int64(set, 5, now_ns);
        result = query_run(database, set, error);
    }
    sqlite3_stmt *expire = query_begin(database, QUERY_SOURCES_EXPIRE);
    (void)sqlite3_bind_int64(expire, 1, tenant_uid);
    (void)sqlite3_bind_int64(expire, 2, BLOB_SOURCES_MAX - 1);
    if (result < 0 || query_run(database, expire, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}

int database_add_digest_name(struct database *database, uint32_t tenant_uid, const char *name,
                             const struct bh_digest *id, struct bh_error *error)
{
    database_locked lock = database_lock(database);
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    sqlite3_stmt *set = query_begin(database, QUERY_NAME_SET);
    (void)sqlite3_bind_int64(set, 1, tenant_uid);
    bind_text(set, 2, name);
    bind_digest(set, 3, id->bytes);
    if (query_run(database, set, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}
