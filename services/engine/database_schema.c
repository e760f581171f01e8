/* SPDX-License-Identifier: Apache-2.0
 *
 * The database's schema as a list of steps. A file's version is the number of steps it has been through; opening it
 * takes the missing ones in one transaction. A step that was released never changes: what comes later is a new step.
 */
#include <stdio.h>
#include <sys/random.h>

#include "services/engine/database_internal.h"

static const char *const steps[] = {
    /* 1: images, their names, containers */
    "CREATE TABLE engine (id TEXT NOT NULL);"
    "CREATE TABLE images (tenant_uid INTEGER NOT NULL, id BLOB NOT NULL, manifest BLOB NOT NULL, config BLOB NOT NULL,"
    "  last_tag_ns INTEGER NOT NULL, visible INTEGER NOT NULL, PRIMARY KEY (tenant_uid, id)) WITHOUT ROWID;"
    "CREATE INDEX images_by_id ON images (id);"
    "CREATE INDEX images_by_manifest ON images (manifest);"
    "CREATE TABLE image_layers (tenant_uid INTEGER NOT NULL, image BLOB NOT NULL, position INTEGER NOT NULL,"
    "  digest BLOB NOT NULL, size_bytes INTEGER NOT NULL, PRIMARY KEY (tenant_uid, image, position),"
    "  FOREIGN KEY (tenant_uid, image) REFERENCES images ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE INDEX layers_by_digest ON image_layers (digest, tenant_uid);"
    "CREATE TABLE image_names (tenant_uid INTEGER NOT NULL, name TEXT NOT NULL, image BLOB NOT NULL,"
    "  PRIMARY KEY (tenant_uid, name), FOREIGN KEY (tenant_uid, image) REFERENCES images ON DELETE CASCADE) WITHOUT "
    "ROWID;"
    "CREATE INDEX names_by_image ON image_names (tenant_uid, image);"
    "CREATE TABLE containers (id BLOB PRIMARY KEY, tenant_uid INTEGER NOT NULL, name TEXT NOT NULL, image BLOB NOT "
    "NULL,"
    "  auto_remove INTEGER NOT NULL, created_ns INTEGER NOT NULL, restart_count INTEGER NOT NULL DEFAULT 0,"
    "  status INTEGER NOT NULL, pid INTEGER NOT NULL DEFAULT 0, exit_code INTEGER NOT NULL DEFAULT 0,"
    "  oom_killed INTEGER NOT NULL DEFAULT 0, started_ns INTEGER NOT NULL DEFAULT 0,"
    "  finished_ns INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', request BLOB NOT NULL,"
    "  spec BLOB NOT NULL, UNIQUE (tenant_uid, name)) WITHOUT ROWID;"
    "CREATE INDEX containers_by_image ON containers (tenant_uid, image);",
    /* the image that an image was made from */
    "ALTER TABLE images ADD COLUMN parent BLOB;"
    "CREATE INDEX images_by_parent ON images (tenant_uid, parent);",
    /* The journal of events, a numbered list for each tenant; total_bytes is that of the tenant's events so far. */
    "CREATE TABLE events (tenant_uid INTEGER NOT NULL, place INTEGER NOT NULL, time_ns INTEGER NOT NULL,"
    "  total_bytes INTEGER NOT NULL, event BLOB NOT NULL, PRIMARY KEY (tenant_uid, place)) WITHOUT ROWID;",
    /* Restart policies: how long the last wait was, when the one under way ends, whether somebody asked it to stop; and
       the boot of the host in which the engine last ran. */
    "ALTER TABLE containers ADD COLUMN restart_wait_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE containers ADD COLUMN restart_at_ns INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE containers ADD COLUMN stop_asked INTEGER NOT NULL DEFAULT 0;"
    "CREATE INDEX containers_restarting ON containers (restart_at_ns) WHERE status = 7;"
    "ALTER TABLE engine ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';",
    /* what was pushed: layers as registries have them, and where a tenant's blobs can be mounted from */
    "CREATE TABLE packed_layers (source BLOB PRIMARY KEY, packed BLOB NOT NULL, size_bytes INTEGER NOT NULL,"
    "  compression INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE blob_sources (tenant_uid INTEGER NOT NULL, registry TEXT NOT NULL, digest BLOB NOT NULL,"
    "  repository TEXT NOT NULL, seen_ns INTEGER NOT NULL, PRIMARY KEY (tenant_uid, registry, digest, repository))"
    "  WITHOUT ROWID;"
    "CREATE INDEX blob_sources_by_age ON blob_sources (tenant_uid, seen_ns);",
    /* execs and health: they end with their container */
    "CREATE TABLE execs (id BLOB PRIMARY KEY, container BLOB NOT NULL REFERENCES containers ON DELETE CASCADE,"
    "  tenant_uid INTEGER NOT NULL, status INTEGER NOT NULL, created_ns INTEGER NOT NULL, pid INTEGER NOT NULL,"
    "  exit_code INTEGER NOT NULL, finished_ns INTEGER NOT NULL, probe INTEGER NOT NULL, request BLOB NOT NULL)"
    "  WITHOUT ROWID;"
    "CREATE INDEX execs_by_container ON execs (container, status);"
    "CREATE INDEX execs_by_status ON execs (status, finished_ns);"
    "CREATE TABLE health (container BLOB PRIMARY KEY REFERENCES containers ON DELETE CASCADE, health BLOB NOT NULL)"
    "  WITHOUT ROWID;",
    /* volumes, and which containers have them */
    "CREATE TABLE volumes (tenant_uid INTEGER NOT NULL, name TEXT NOT NULL, id BLOB NOT NULL UNIQUE,"
    "  created_ns INTEGER NOT NULL, anonymous INTEGER NOT NULL, details BLOB NOT NULL, PRIMARY KEY (tenant_uid, name))"
    "  WITHOUT ROWID;"
    "CREATE TABLE volume_uses (container BLOB NOT NULL REFERENCES containers ON DELETE CASCADE,"
    "  tenant_uid INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (container, name),"
    "  FOREIGN KEY (tenant_uid, name) REFERENCES volumes) WITHOUT ROWID;"
    "CREATE INDEX volume_uses_by_name ON volume_uses (tenant_uid, name);",
    /* whether a volume's creation was told in its tenant's events */
    "ALTER TABLE volumes ADD COLUMN announced INTEGER NOT NULL DEFAULT 1;",
    /* Networks, their subnets, and what links running containers to them: no address of a network is given twice. The
       fixed ones (bridge, host, none) are a tenant's from its first question on; `made` says that netd was told. */
    "CREATE TABLE networks (id BLOB PRIMARY KEY, tenant_uid INTEGER NOT NULL, name TEXT NOT NULL,"
    "  created_ns INTEGER NOT NULL, fixed INTEGER NOT NULL, made INTEGER NOT NULL, last4 BLOB, last6 BLOB,"
    "  request BLOB NOT NULL, UNIQUE (tenant_uid, name)) WITHOUT ROWID;"
    "CREATE TABLE network_subnets (network BLOB NOT NULL REFERENCES networks ON DELETE CASCADE,"
    "  subnet BLOB NOT NULL, prefix INTEGER NOT NULL, PRIMARY KEY (network, subnet)) WITHOUT ROWID;"
    "CREATE TABLE endpoints (id BLOB PRIMARY KEY, container BLOB NOT NULL REFERENCES containers ON DELETE CASCADE,"
    "  network BLOB NOT NULL REFERENCES networks, position INTEGER NOT NULL, mac BLOB, address4 BLOB, address6 BLOB,"
    "  endpoint BLOB NOT NULL, UNIQUE (container, network), UNIQUE (network, mac), UNIQUE (network, address4),"
    "  UNIQUE (network, address6)) WITHOUT ROWID;"
    "CREATE TABLE attachments (container BLOB PRIMARY KEY REFERENCES containers ON DELETE CASCADE,"
    "  attachment BLOB NOT NULL) WITHOUT ROWID;",
    /* which registries have shown that they have a blob */
    "CREATE TABLE blob_origins (digest BLOB NOT NULL, registry TEXT NOT NULL, PRIMARY KEY (digest, registry))"
    "  WITHOUT ROWID;",
};
#define SCHEMA_VERSION ((int)(sizeof steps / sizeof steps[0]))

static int make_engine_id(struct database *database, struct bh_error *error)
{
    uint8_t random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        return bh_error_errno(error, errno, "make the engine's id");
    }
    random[6] = (uint8_t)((random[6] & 0x0f) | 0x40);
    random[8] = (uint8_t)((random[8] & 0x3f) | 0x80);
    char sql[128];
    (void)snprintf(
        sql, sizeof sql,
        "INSERT INTO engine (id) VALUES ('%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x')",
        random[0], random[1], random[2], random[3], random[4], random[5], random[6], random[7], random[8], random[9],
        random[10], random[11], random[12], random[13], random[14], random[15]);
    return database_execute(database, sql, error);
}

static int read_schema_version(struct database *database, int *ret_version, struct bh_error *error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(database->handle, "PRAGMA user_version", -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        (void)sqlite3_finalize(statement);
        return database_failure(database, "cannot read its schema's version", error);
    }
    *ret_version = sqlite3_column_int(statement, 0);
    (void)sqlite3_finalize(statement);
    return 0;
}

static int take_steps(struct database *database, int version, struct bh_error *error)
{
    char sql[48];
    for (int step = version; step < SCHEMA_VERSION; step++) {
        if (database_execute(database, steps[step], error) < 0) {
            return bh_error_wrap(error, "schema step %d", step + 1);
        }
    }
    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION);
    return (version == 0 && make_engine_id(database, error) < 0) || database_execute(database, sql, error) < 0 ? -1 : 0;
}

int database_schema_ensure(struct database *database, struct bh_error *error)
{
    int version = 0;
    if (read_schema_version(database, &version, error) < 0) {
        return -1;
    }
    if (version > SCHEMA_VERSION) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "the engine's database has schema %d and this engine knows up to %d: start a newer engine",
                            version, SCHEMA_VERSION);
    }
    if (version == SCHEMA_VERSION) {
        return 0;
    }
    if (transaction_begin(database, SURVIVES_POWER, error) < 0) {
        return -1;
    }
    if (take_steps(database, version, error) < 0 || transaction_commit(database, error) < 0) {
        transaction_abandon(database);
        return -1;
    }
    return 0;
}
