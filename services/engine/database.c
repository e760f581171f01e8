/* SPDX-License-Identifier: Apache-2.0
 *
 * The database's floor: its statements, transactions, and how values go in and out. Trusts the file,
 * which lies in a folder only the engine can name; what it reads is still checked for shape.
 */
#include <string.h>

#include "services/engine/database_internal.h"

#define IMAGE_COLUMNS                                                                                                  \
    "SELECT id, manifest, config, last_tag_ns, tenant_uid, (SELECT count(*) FROM containers c"                         \
    " WHERE c.tenant_uid = images.tenant_uid AND c.image = images.id), parent, visible FROM images "
#define CONTAINER_COLUMNS                                                                                              \
    "SELECT id, tenant_uid, name, image, auto_remove, created_ns, restart_count, status, pid, exit_code, oom_killed,"  \
    " started_ns, finished_ns, error, request, spec, restart_wait_ms, restart_at_ns, stop_asked FROM containers "

#define EXEC_COLUMNS                                                                                                   \
    "SELECT id, container, tenant_uid, status, created_ns, pid, exit_code, finished_ns, probe, request FROM execs "
#define VOLUME_COLUMNS                                                                                                 \
    "SELECT tenant_uid, name, id, created_ns, anonymous, details, (SELECT count(*) FROM volume_uses u"                 \
    " WHERE u.tenant_uid = volumes.tenant_uid AND u.name = volumes.name), announced FROM volumes "
#define NETWORK_COLUMNS                                                                                                \
    "SELECT id, tenant_uid, created_ns, fixed, made, request, (SELECT count(*) FROM endpoints e"                       \
    " WHERE e.network = networks.id) FROM networks "
#define ENDPOINT_COLUMNS "SELECT container, endpoint FROM endpoints "

static const char *const query_text[QUERY_COUNT_] = {
    [QUERY_ENGINE_ID] = "SELECT id FROM engine",
    [QUERY_IMAGE_ADD] = "INSERT INTO images (tenant_uid, id, manifest, config, last_tag_ns, visible,"
                        " parent) VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6) ON CONFLICT DO NOTHING",
    [QUERY_IMAGE_SHOW] =
        "UPDATE images SET visible = 1, last_tag_ns = max(last_tag_ns, ?3) WHERE tenant_uid = ?1 AND id = ?2",
    [QUERY_IMAGE_LAYER_ADD] = "INSERT INTO image_layers VALUES (?1, ?2, ?3, ?4, ?5)",
    [QUERY_IMAGE_LAYERS] = "SELECT digest, size_bytes FROM image_layers WHERE tenant_uid = ?1 AND image = ?2"
                           " ORDER BY position",
    [QUERY_IMAGE_NAMES] = "SELECT name FROM image_names WHERE tenant_uid = ?1 AND image = ?2 ORDER BY name",
    [QUERY_IMAGES] = IMAGE_COLUMNS "WHERE tenant_uid = ?1 AND (visible = 1 OR ?2)",
    [QUERY_IMAGE] = IMAGE_COLUMNS "WHERE tenant_uid = ?1 AND id = ?2",
    [QUERY_IMAGE_RANGE] =
        "SELECT id FROM images WHERE tenant_uid = ?1 AND id BETWEEN ?2 AND ?3 AND visible = 1 LIMIT 2",
    [QUERY_IMAGE_HIDE] = "UPDATE images SET visible = 0 WHERE tenant_uid = ?1 AND id = ?2",
    [QUERY_IMAGES_FORGET] = "DELETE FROM images WHERE visible = 0 AND NOT EXISTS (SELECT 1 FROM containers c"
                            " WHERE c.tenant_uid = images.tenant_uid AND c.image = images.id)",
    [QUERY_NAME_SET] = "INSERT INTO image_names VALUES (?1, ?2, ?3)"
                       " ON CONFLICT DO UPDATE SET image = excluded.image",
    [QUERY_NAME_TAGGED] = "UPDATE images SET last_tag_ns = ?3 WHERE tenant_uid = ?1 AND id = ?2 AND visible = 1",
    [QUERY_NAME_FIND] = "SELECT image FROM image_names WHERE tenant_uid = ?1 AND name = ?2",
    [QUERY_NAME_DROP] = "DELETE FROM image_names WHERE tenant_uid = ?1 AND name = ?2",
    [QUERY_NAMES_DROP] = "DELETE FROM image_names WHERE tenant_uid = ?1 AND image = ?2",
    [QUERY_CONTENT_USED] = "SELECT EXISTS (SELECT 1 FROM image_layers WHERE digest = ?1)"
                           " OR EXISTS (SELECT 1 FROM images WHERE id = ?1)"
                           " OR EXISTS (SELECT 1 FROM images WHERE manifest = ?1)",
    [QUERY_IMAGE_BYTES] =
        "SELECT coalesce(sum(bytes), 0) FROM (SELECT max(size_bytes) AS bytes FROM image_layers WHERE "
        "tenant_uid = ?1 GROUP BY digest)",
    [QUERY_CONTENT_OF_TENANT] = "SELECT EXISTS (SELECT 1 FROM image_layers WHERE digest = ?1 AND tenant_uid = ?2)"
                                " OR EXISTS (SELECT 1 FROM images WHERE id = ?1 AND tenant_uid = ?2)",
    [QUERY_CONTAINER_ADD] = "INSERT INTO containers (id, tenant_uid, name, image, auto_remove, created_ns, status,"
                            " request, spec) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9"
                            " WHERE EXISTS (SELECT 1 FROM images WHERE tenant_uid = ?2 AND id = ?4 AND visible = 1)",
    [QUERY_CONTAINER] = CONTAINER_COLUMNS "WHERE id = ?1",
    [QUERY_CONTAINERS] = CONTAINER_COLUMNS "WHERE tenant_uid = ?1 OR ?2 ORDER BY created_ns DESC, id",
    [QUERY_CONTAINER_NAME] = "SELECT id FROM containers WHERE tenant_uid = ?1 AND name = ?2",
    [QUERY_CONTAINER_RANGE] = "SELECT id FROM containers WHERE id BETWEEN ?2 AND ?3 AND tenant_uid = ?1 LIMIT 2",
    [QUERY_CONTAINER_RENAME] = "UPDATE containers SET name = ?2 WHERE id = ?1",
    [QUERY_CONTAINER_STATE] =
        "UPDATE containers SET status = ?2, pid = ?3, exit_code = ?4, oom_killed = ?5,"
        " started_ns = ?6, finished_ns = ?7, error = ?8, restart_count = ?9, restart_wait_ms = ?10,"
        " restart_at_ns = ?11 WHERE id = ?1",
    [QUERY_CONTAINER_ENDED] = "UPDATE containers SET status = ?2, pid = 0, exit_code = ?3, oom_killed = ?4,"
                              " finished_ns = ?5, restart_count = ?6, restart_wait_ms = ?7, restart_at_ns = ?8,"
                              " error = ?9 WHERE id = ?1 AND status IN (2, 3) AND started_ns = ?10"
                              " AND stop_asked = ?11",
    [QUERY_CONTAINER_RESTARTING] = "UPDATE containers SET status = 7, pid = 0, exit_code = ?3, oom_killed = ?4,"
                                   " finished_ns = ?5, restart_count = ?6, restart_wait_ms = ?7, restart_at_ns = ?8,"
                                   " error = '' WHERE id = ?1 AND stop_asked = ?2",
    [QUERY_CONTAINER_STOP_ASKED] = "UPDATE containers SET stop_asked = ?2 WHERE id = ?1",
    [QUERY_CONTAINERS_DUE] = "SELECT id, restart_at_ns FROM containers WHERE status = 7 ORDER BY restart_at_ns",
    [QUERY_ENGINE_BOOT] = "SELECT boot_id FROM engine",
    [QUERY_ENGINE_BOOT_SET] = "UPDATE engine SET boot_id = ?1",
    [QUERY_CONTAINER_CHANGE] = "UPDATE containers SET request = ?2, spec = ?3 WHERE id = ?1",
    [QUERY_CONTAINER_REQUEST] = "UPDATE containers SET request = ?2 WHERE id = ?1",
    [QUERY_CONTAINER_STATUS] = "UPDATE containers SET status = ?2 WHERE id = ?1",
    [QUERY_CONTAINER_RUNNING_STATUS] = "UPDATE containers SET status = ?2 WHERE id = ?1 AND status IN (2, 3)",
    [QUERY_CONTAINER_DELETE] = "DELETE FROM containers WHERE id = ?1",
    [QUERY_CONTAINER_COUNT] = "SELECT count(*), count(*) FILTER (WHERE tenant_uid = ?1) FROM containers",
    [QUERY_VOLUME_ADD] = "INSERT INTO volumes VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0)",
    [QUERY_VOLUME_ANNOUNCE] = "UPDATE volumes SET announced = 1 WHERE id = ?1 AND announced = 0",
    [QUERY_VOLUME] = VOLUME_COLUMNS "WHERE tenant_uid = ?1 AND name = ?2",
    [QUERY_VOLUMES] = VOLUME_COLUMNS "WHERE tenant_uid = ?1 OR ?2 ORDER BY tenant_uid, name",
    [QUERY_VOLUME_COUNT] = "SELECT count(*) FROM volumes WHERE tenant_uid = ?1",
    [QUERY_VOLUME_USERS] = "SELECT container FROM volume_uses WHERE tenant_uid = ?1 AND name = ?2 ORDER BY container",
    [QUERY_VOLUME_USE_ADD] = "INSERT INTO volume_uses VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [QUERY_VOLUME_DELETE] = "DELETE FROM volumes WHERE tenant_uid = ?1 AND name = ?2",
    [QUERY_NETWORK_ADD] = "INSERT INTO networks VALUES (?1, ?2, ?3, ?4, ?5, 0, NULL, NULL, ?6)",
    [QUERY_NETWORK] = NETWORK_COLUMNS "WHERE id = ?1",
    [QUERY_NETWORKS] = NETWORK_COLUMNS "WHERE tenant_uid = ?1 OR ?2 ORDER BY tenant_uid, name",
    [QUERY_NETWORK_NAME] = NETWORK_COLUMNS "WHERE tenant_uid = ?1 AND name = ?2",
    [QUERY_NETWORK_RANGE] = NETWORK_COLUMNS "WHERE id BETWEEN ?2 AND ?3 AND tenant_uid = ?1 LIMIT 2",
    [QUERY_NETWORK_COUNT] = "SELECT count(*) FROM networks WHERE tenant_uid = ?1",
    [QUERY_NETWORK_MADE] = "UPDATE networks SET made = 1 WHERE id = ?1",
    [QUERY_NETWORK_CHANGE] = "UPDATE networks SET request = ?2 WHERE id = ?1",
    [QUERY_NETWORK_DELETE] = "DELETE FROM networks WHERE id = ?1",
    [QUERY_NETWORK_LAST] = "SELECT last4, last6 FROM networks WHERE id = ?1",
    [QUERY_NETWORK_SET_LAST] = "UPDATE networks SET last4 = coalesce(?2, last4), last6 = coalesce(?3, last6)"
                               " WHERE id = ?1",
    [QUERY_SUBNETS] = "SELECT subnet, prefix FROM network_subnets",
    [QUERY_SUBNET_ADD] = "INSERT INTO network_subnets VALUES (?1, ?2, ?3)",
    [QUERY_SUBNETS_DROP] = "DELETE FROM network_subnets WHERE network = ?1",
    [QUERY_ENDPOINT_ADD] = "INSERT INTO endpoints SELECT ?1, ?2, ?3, coalesce(max(position), 0) + 1, ?4, ?5, ?6, ?7"
                           " FROM endpoints WHERE container = ?2",
    [QUERY_ENDPOINTS_OF_CONTAINER] = ENDPOINT_COLUMNS "WHERE container = ?1 ORDER BY position",
    [QUERY_ENDPOINTS_OF_NETWORK] = ENDPOINT_COLUMNS "WHERE network = ?1",
    [QUERY_ENDPOINT_CHANGE] = "UPDATE endpoints SET endpoint = ?2 WHERE id = ?1",
    [QUERY_ENDPOINT_DELETE] = "DELETE FROM endpoints WHERE id = ?1",
    [QUERY_ADDRESSES4] = "SELECT address4 FROM endpoints WHERE network = ?1 AND address4 NOT NULL ORDER BY address4",
    [QUERY_ADDRESSES6] = "SELECT address6 FROM endpoints WHERE network = ?1 AND address6 NOT NULL ORDER BY address6",
    [QUERY_ATTACHMENT] = "SELECT attachment FROM attachments WHERE container = ?1",
    [QUERY_ATTACHMENT_SET] = "INSERT INTO attachments VALUES (?1, ?2)"
                             " ON CONFLICT DO UPDATE SET attachment = excluded.attachment",
    [QUERY_ATTACHMENT_TRIM] = "DELETE FROM attachments WHERE container = ?1"
                              " AND NOT EXISTS (SELECT 1 FROM endpoints WHERE container = ?1)"
                              " AND NOT EXISTS (SELECT 1 FROM containers WHERE id = ?1 AND status IN (2, 3))",
    [QUERY_CONTAINER_RUNS] = "SELECT EXISTS (SELECT 1 FROM containers WHERE id = ?1 AND status IN (2, 3))",
    [QUERY_COUNTS] = "SELECT (SELECT count(*) FROM containers WHERE tenant_uid = ?1 AND status = 2),"
                     " (SELECT count(*) FROM containers WHERE tenant_uid = ?1 AND status = 3),"
                     " (SELECT count(*) FROM containers WHERE tenant_uid = ?1 AND status NOT IN (2, 3)),"
                     " (SELECT count(*) FROM images WHERE tenant_uid = ?1 AND visible = 1)",
    [QUERY_EVENT_NEWEST] = "SELECT place, time_ns, total_bytes FROM events WHERE tenant_uid = ?1"
                           " ORDER BY place DESC LIMIT 1",
    [QUERY_EVENT_ADD] = "INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)",
    [QUERY_EVENTS_FORGET] = "DELETE FROM events WHERE tenant_uid = ?1 AND place < (SELECT place FROM events"
                            " WHERE tenant_uid = ?1 AND place > ?2 AND total_bytes > ?3 ORDER BY place LIMIT 1)",
    [QUERY_EVENTS] = "SELECT place, event FROM events WHERE tenant_uid = ?1 AND place > ?2 AND time_ns >= ?3"
                     " AND time_ns <= ?4 ORDER BY place LIMIT ?5",
    /* ';' follows ':' */
    [QUERY_REPOSITORY_TAGS] = "SELECT name, image FROM image_names WHERE tenant_uid = ?1 AND name > ?2 || ':'"
                              " AND name < ?2 || ';' ORDER BY name",
    [QUERY_REPOSITORY_KNOWN] =
        "SELECT EXISTS (SELECT 1 FROM image_names WHERE tenant_uid = ?1"
        " AND ((name > ?2 || ':' AND name < ?2 || ';') OR (name > ?2 || '@' AND name < ?2 || 'A')))",
    [QUERY_PACKED_FIND] = "SELECT packed, size_bytes, compression FROM packed_layers WHERE source = ?1",
    [QUERY_PACKED_SET] =
        "INSERT INTO packed_layers VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
        " packed = excluded.packed, size_bytes = excluded.size_bytes, compression = excluded.compression",
    [QUERY_PACKED_EXPIRE] = "DELETE FROM packed_layers WHERE NOT EXISTS (SELECT 1 FROM image_layers"
                            " WHERE digest = source)",
    [QUERY_SOURCES_FIND] = "SELECT repository FROM blob_sources WHERE tenant_uid = ?1 AND registry = ?2 AND digest = ?3"
                           " AND repository <> ?4 ORDER BY seen_ns DESC LIMIT ?5",
    [QUERY_SOURCE_SET] = "INSERT INTO blob_sources VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET"
                         " seen_ns = excluded.seen_ns",
    [QUERY_SOURCES_EXPIRE] = "DELETE FROM blob_sources WHERE tenant_uid = ?1 AND seen_ns < (SELECT seen_ns FROM"
                             " blob_sources WHERE tenant_uid = ?1 ORDER BY seen_ns DESC LIMIT 1 OFFSET ?2)",
    [QUERY_ORIGIN_ADD] = "INSERT OR IGNORE INTO blob_origins VALUES (?1, ?2)",
    [QUERY_ORIGIN] = "SELECT EXISTS (SELECT 1 FROM blob_origins WHERE digest = ?1 AND registry = ?2)",
    [QUERY_ORIGINS_FORGET] = "DELETE FROM blob_origins WHERE digest = ?1",
    [QUERY_EXEC_ADD] = "INSERT INTO execs SELECT ?1, ?2, ?3, 1, ?4, 0, 0, 0, ?5, ?6"
                       " WHERE EXISTS (SELECT 1 FROM containers WHERE id = ?2)",
    [QUERY_EXEC] = EXEC_COLUMNS "WHERE id = ?1 AND tenant_uid = ?2",
    [QUERY_EXECS] = EXEC_COLUMNS "WHERE container = ?1 AND status != 3 ORDER BY created_ns",
    [QUERY_EXECS_RUNNING] = EXEC_COLUMNS "WHERE status = 2",
    [QUERY_EXEC_COUNT] = "SELECT (SELECT count(*) FROM execs WHERE container = ?1),"
                         " (SELECT count(*) FROM execs WHERE status = 2 AND tenant_uid = ?2)",
    [QUERY_EXEC_CLAIM] = "UPDATE execs SET status = 2 WHERE id = ?1 AND status = 1",
    [QUERY_EXEC_RUNS] = "UPDATE execs SET pid = ?2 WHERE id = ?1 AND status = 2",
    [QUERY_EXEC_ENDED] = "UPDATE execs SET status = 3, exit_code = ?2, finished_ns = ?3 WHERE id = ?1 AND status != 3",
    [QUERY_EXEC_DELETE] = "DELETE FROM execs WHERE id = ?1",
    [QUERY_EXECS_DROP_CREATED] = "DELETE FROM execs WHERE container = ?1 AND status = 1",
    [QUERY_EXECS_TRIM] = "DELETE FROM execs WHERE id IN (SELECT id FROM execs WHERE container = ?1 AND status = 3"
                         " ORDER BY finished_ns LIMIT ?2)",
    [QUERY_EXECS_FORGET] = "DELETE FROM execs WHERE status = 3 AND finished_ns < ?1",
    [QUERY_HEALTH] = "SELECT health FROM health WHERE container = ?1",
    [QUERY_HEALTH_SET] = "INSERT INTO health SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM containers WHERE id = ?1)"
                         " ON CONFLICT DO UPDATE SET health = excluded.health",
};

int database_failure(struct database *database, const char *what, struct bh_error *error)
{
    int code = sqlite3_extended_errcode(database->handle);
    enum bh_code kind = (code & 0xff) == SQLITE_FULL ? BH_RESOURCE_EXHAUSTED : BH_INTERNAL;
    return bh_error_set(error, kind, "the engine's database: %s: %s", what, sqlite3_errmsg(database->handle));
}

int database_execute(struct database *database, const char *sql, struct bh_error *error)
{
    if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return database_failure(database, "cannot prepare it", error);
    }
    return 0;
}

static int prepare_all(struct database *database, struct bh_error *error)
{
    for (int query = 0; query < QUERY_COUNT_; query++) {
        if (sqlite3_prepare_v3(database->handle, query_text[query], -1, SQLITE_PREPARE_PERSISTENT,
                               &database->statements[query], NULL) != SQLITE_OK) {
            return database_failure(database, query_text[query], error);
        }
    }
    return 0;
}

int database_open(const char *path, struct database **ret_database, struct bh_error *error)
{
    database_auto struct database *database = calloc(1, sizeof *database);
    if (!database) {
        return bh_error_errno(error, ENOMEM, "open the engine's database");
    }
    (void)pthread_mutex_init(&database->mutex, NULL);
    if (sqlite3_open_v2(path, &database->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                        NULL) != SQLITE_OK) {
        return database_failure(database, path, error);
    }
    if (database_execute(database,
                         "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                         "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024; PRAGMA busy_timeout = 5000;",
                         error) < 0 ||
        database_schema_ensure(database, error) < 0 || prepare_all(database, error) < 0) {
        return -1;
    }
    *ret_database = bh_steal_pointer(&database);
    return 0;
}

void database_close(struct database *database)
{
    if (!database) {
        return;
    }
    for (int query = 0; query < QUERY_COUNT_; query++) {
        (void)sqlite3_finalize(database->statements[query]);
    }
    (void)sqlite3_close(database->handle);
    (void)pthread_mutex_destroy(&database->mutex);
    free(database);
}

void database_cleanup(struct database **database)
{
    database_close(*database);
}

struct database *database_lock(struct database *database)
{
    (void)pthread_mutex_lock(&database->mutex);
    return database;
}

void database_unlock(struct database **database)
{
    (void)pthread_mutex_unlock(&(*database)->mutex);
}

sqlite3_stmt *query_begin(struct database *database, enum query query)
{
    sqlite3_stmt *statement = database->statements[query];
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return statement;
}

int query_step(struct database *database, sqlite3_stmt *statement, struct bh_error *error)
{
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        return 1;
    }
    if (result == SQLITE_DONE) {
        (void)sqlite3_reset(statement);
        return 0;
    }
    (void)database_failure(database, "cannot run a statement", error);
    (void)sqlite3_reset(statement);
    return -1;
}

int query_run(struct database *database, sqlite3_stmt *statement, struct bh_error *error)
{
    int result = query_step(database, statement, error);
    if (result > 0) {
        (void)sqlite3_reset(statement);
    }
    return result < 0 ? -1 : 0;
}

int transaction_begin(struct database *database, enum durability durability, struct bh_error *error)
{
    return database_execute(database,
                            durability == SURVIVES_POWER ? "PRAGMA synchronous = FULL; BEGIN IMMEDIATE"
                                                         : "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE",
                            error);
}

int transaction_commit(struct database *database, struct bh_error *error)
{
    if (database_execute(database, "COMMIT", error) < 0) {
        return -1;
    }
    if (database->has_event && database->on_event) {
        database->on_event(database->event_tenant_uid, database->on_event_argument);
    }
    database->has_event = false;
    return 0;
}

void transaction_abandon(struct database *database)
{
    database->has_event = false;
    if (!sqlite3_get_autocommit(database->handle)) {
        (void)sqlite3_exec(database->handle, "ROLLBACK", NULL, NULL, NULL);
    }
}

void bind_digest(sqlite3_stmt *statement, int index, const void *bytes)
{
    (void)sqlite3_bind_blob(statement, index, bytes, BH_DIGEST_BYTES, SQLITE_TRANSIENT);
}

void bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    (void)sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT);
}

int bind_message(sqlite3_stmt *statement, int index, const ProtobufCMessage *message, struct bh_error *error)
{
    size_t n_bytes = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = malloc(n_bytes ? n_bytes : 1);
    if (!bytes) {
        return bh_error_errno(error, ENOMEM, "pack a %zu byte record", n_bytes);
    }
    (void)protobuf_c_message_pack(message, bytes);
    if (sqlite3_bind_blob64(statement, index, bytes, n_bytes, free) != SQLITE_OK) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a record of %zu bytes does not fit the database", n_bytes);
    }
    return 0;
}

int column_digest(sqlite3_stmt *statement, int index, void *ret_bytes, struct bh_error *error)
{
    const void *bytes = sqlite3_column_blob(statement, index);
    if (!bytes || sqlite3_column_bytes(statement, index) != BH_DIGEST_BYTES) {
        return bh_error_set(error, BH_DATA_LOSS, "the engine's database holds a digest of %d bytes instead of 32",
                            sqlite3_column_bytes(statement, index));
    }
    memcpy(ret_bytes, bytes, BH_DIGEST_BYTES);
    return 0;
}

int column_message(sqlite3_stmt *statement, int index, const ProtobufCMessageDescriptor *descriptor,
                   ProtobufCMessage **ret_message, struct bh_error *error)
{
    const void *bytes = sqlite3_column_blob(statement, index);
    int n_bytes = sqlite3_column_bytes(statement, index);
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, (size_t)n_bytes, bytes);
    if (!message) {
        return bh_error_set(error, BH_DATA_LOSS, "the engine's database holds a %s that does not unpack",
                            descriptor->short_name);
    }
    *ret_message = message;
    return 0;
}

void column_text(sqlite3_stmt *statement, int index, char *buffer, size_t buffer_bytes)
{
    const char *text = (const char *)sqlite3_column_text(statement, index);
    (void)snprintf(buffer, buffer_bytes, "%s", text ? text : "");
}

int array_grow(void *items, size_t n_items, size_t item_bytes, struct bh_error *error)
{
    if (n_items & (n_items - 1)) { /* grows when the count reaches a power of two */
        return 0;
    }
    size_t bytes;
    void **array = items;
    if (__builtin_mul_overflow(n_items ? n_items * 2 : 1, item_bytes, &bytes)) {
        return bh_error_errno(error, ENOMEM, "list %zu rows", n_items);
    }
    void *grown = realloc(*array, bytes);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "list %zu rows", n_items);
    }
    *array = grown;
    return 0;
}

int database_engine_id(struct database *database, char ret_id[static 37], struct bh_error *error)
{
    database_locked lock = database_lock(database);
    sqlite3_stmt *statement = query_begin(database, QUERY_ENGINE_ID);
    int found = query_step(database, statement, error);
    if (found == 1) {
        column_text(statement, 0, ret_id, 37);
        (void)sqlite3_reset(statement);
        return 0;
    }
    return found < 0 ? -1 : bh_error_set(error, BH_DATA_LOSS, "the engine's database has lost the engine's id");
}
