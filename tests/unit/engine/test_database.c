/* SPDX-License-Identifier: Apache-2.0
 *
 * The database: what goes in comes out, also after it was closed and opened again.
 */
#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "services/engine/database.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static char path[] = "/tmp/bh-engine-XXXXXX";
static struct database *database;

static void open_again(void)
{
    struct bh_error error = {0};
    database_close(database);
    database = NULL;
    cr_assert_eq(database_open(path, &database, &error), 0, "%s", error.message);
}

static void begin(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void)close(fd);
    open_again();
}

static void end(void)
{
    char beside[sizeof path + 8];
    database_close(database);
    (void)unlink(path);
    (void)snprintf(beside, sizeof beside, "%s-wal", path);
    (void)unlink(beside);
    (void)snprintf(beside, sizeof beside, "%s-shm", path);
    (void)unlink(beside);
}

TestSuite(database, .init = begin, .fini = end);

static struct bh_digest digest(uint8_t first)
{
    struct bh_digest made = {{first}};
    return made;
}

static void add_image(uint32_t tenant_uid, uint8_t id, const char *name, bool *ret_moved)
{
    struct bh_error error = {0};
    struct image_layer layers[] = {{digest(101), 10}, {digest(102), 20}};
    Bulkhead__ImageConfig config = BULKHEAD__IMAGE_CONFIG__INIT;
    config.author = TEXT("somebody");
    const struct image_row row = {.tenant_uid = tenant_uid,
                                  .id = digest(id),
                                  .manifest = digest(100),
                                  .config = &config,
                                  .layers = layers,
                                  .n_layers = 2};
    cr_assert_eq(database_add_image(database, &row, &name, 1, 42, NULL, 0, ret_moved, &error), 0, "%s", error.message);
}

static int add_container(uint32_t tenant_uid, uint8_t id, const char *name, uint8_t image, struct bh_error *error)
{
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    Bulkhead__ContainerSpec spec = BULKHEAD__CONTAINER_SPEC__INIT;
    struct container_row row = {.id = {id},
                                .tenant_uid = tenant_uid,
                                .image = digest(image),
                                .created_ns = id,
                                .request = &request,
                                .spec = &spec,
                                .state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_CREATED};
    request.image = TEXT("busybox");
    spec.host_name = TEXT("host");
    (void)snprintf(row.name, sizeof row.name, "%s", name);
    return database_add_container(database, &row, NULL, error);
}

Test(database, keeps_images)
{
    struct bh_error error = {0};
    bool moved = false;
    struct bh_digest id = digest(1), found;
    add_image(5, 1, "docker.io/library/busybox:latest", &moved);
    cr_assert(moved);
    add_image(5, 1, "docker.io/library/busybox:latest", &moved);
    cr_assert_not(moved, "the same again is no news");
    open_again();
    image_row_auto struct image_row row = {0};
    cr_assert_eq(database_image(database, 5, &id, &row, &error), 0, "%s", error.message);
    cr_assert_str_eq(row.config->author, "somebody");
    cr_assert_eq(row.n_layers, 2);
    cr_assert_eq(row.layers[1].size_bytes, 20);
    cr_assert_eq(row.n_names, 1);
    cr_assert_str_eq(row.names[0], "docker.io/library/busybox:latest");
    cr_assert_eq(row.last_tag_ns, 42);
    cr_assert_eq(database_find_name(database, 5, "docker.io/library/busybox:latest", &found, &error), 1);
    cr_assert(bh_digest_equal(&found, &id));
    cr_assert_eq(database_find_name(database, 6, "docker.io/library/busybox:latest", &found, &error), 0);
    cr_assert_eq(database_find_name(database, 5, "docker.io/library/busybox:1", &found, &error), 0);
}

Test(database, knows_what_content_is_needed)
{
    struct bh_error error = {0};
    struct bh_digest layer = digest(101), config = digest(1), manifest = digest(100), stray = digest(99);
    add_image(5, 1, "a:1", NULL);
    cr_assert_eq(database_content_used(database, &layer, &error), 1);
    cr_assert_eq(database_content_used(database, &config, &error), 1);
    cr_assert_eq(database_content_used(database, &manifest, &error), 1);
    cr_assert_eq(database_content_used(database, &stray, &error), 0);
    cr_assert_eq(database_tenant_has_content(database, 5, &layer, &error), 1);
    cr_assert_eq(database_tenant_has_content(database, 6, &layer, &error), 0);
    cr_assert_eq(database_hide_image(database, 5, &config, NULL, &error), 0);
    cr_assert_eq(database_content_used(database, &layer, &error), 0);
}

Test(database, keeps_a_hidden_image_while_a_container_needs_it)
{
    struct bh_error error = {0};
    struct bh_digest layer = digest(101), config = digest(1);
    struct image_row *rows = NULL;
    size_t n_rows = 0;
    bool any = true;
    const uint8_t id[32] = {7};
    add_image(5, 1, "a:1", NULL);
    cr_assert_eq(add_container(5, 7, "web", 1, &error), 0, "%s", error.message);
    cr_assert_eq(database_hide_image(database, 5, &config, NULL, &error), 0);
    cr_assert_eq(database_images(database, 5, &rows, &n_rows, &error), 0);
    cr_assert_eq(n_rows, 0, "out of sight");
    image_rows_free(rows, n_rows);
    cr_assert_eq(database_content_used(database, &layer, &error), 1, "but kept");
    cr_assert_eq(database_forget_images(database, &any, &error), 0);
    cr_assert_not(any);
    cr_assert_eq(database_delete_container(database, id, false, NULL, &error), 0);
    cr_assert_eq(database_forget_images(database, &any, &error), 0);
    cr_assert(any);
    cr_assert_eq(database_content_used(database, &layer, &error), 0);
    cr_assert_eq(add_container(5, 7, "web", 1, &error), -1);
    cr_assert_eq(error.code, BH_NOT_FOUND);
}

Test(database, gives_a_name_to_one_container_of_a_tenant)
{
    struct bh_error error = {0};
    const uint8_t id[32] = {2};
    uint8_t found[32];
    add_image(5, 1, "a:1", NULL);
    add_image(6, 1, "a:1", NULL);
    cr_assert_eq(add_container(5, 1, "web", 1, &error), 0);
    cr_assert_eq(add_container(5, 2, "web", 1, &error), -1);
    cr_assert_eq(error.code, BH_ALREADY_EXISTS);
    cr_assert_eq(add_container(6, 3, "web", 1, &error), 0, "another tenant's names are its own");
    cr_assert_eq(add_container(5, 2, "db", 1, &error), 0);
    cr_assert_eq(database_rename_container(database, id, "web", NULL, &error), -1);
    cr_assert_eq(error.code, BH_ALREADY_EXISTS);
    cr_assert_eq(database_rename_container(database, id, "sql", NULL, &error), 0);
    cr_assert_eq(database_find_container_name(database, 5, "sql", found, &error), 1);
    cr_assert_arr_eq(found, id, 32);
    cr_assert_eq(database_find_container_name(database, 5, "db", found, &error), 0);
}

Test(database, keeps_states)
{
    struct bh_error error = {0};
    const uint8_t id[32] = {1};
    add_image(5, 1, "a:1", NULL);
    cr_assert_eq(add_container(5, 1, "web", 1, &error), 0);
    struct container_state state = {.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED,
                                    .exit_code = 137,
                                    .oom_killed = true,
                                    .started_at_ns = 1,
                                    .finished_at_ns = INT64_MAX,
                                    .error = "it's gone"};
    cr_assert_eq(database_set_state(database, id, &state, NULL, &error), 0);
    cr_assert_eq(
        database_set_running_status(database, id, BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED, NULL, &error),
        0);
    open_again();
    container_row_auto struct container_row row = {0};
    cr_assert_eq(database_container(database, id, &row, &error), 0);
    cr_assert_eq(row.state.status, BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED, "what has ended is not paused");
    cr_assert_eq(row.state.exit_code, 137);
    cr_assert(row.state.oom_killed);
    cr_assert_eq(row.state.finished_at_ns, INT64_MAX);
    cr_assert_str_eq(row.state.error, "it's gone");
    cr_assert_str_eq(row.spec->host_name, "host");
    struct database_counts counts;
    cr_assert_eq(database_count(database, 5, &counts, &error), 0);
    cr_assert_eq(counts.stopped, 1);
    cr_assert_eq(counts.images, 1);
    cr_assert_eq(counts.running + counts.paused, 0);
}

Test(database, lists_newest_first_and_finds_by_prefix)
{
    struct bh_error error = {0};
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    uint8_t low[32] = {0x10}, high[32], found[32];
    unsigned count;
    add_image(5, 1, "a:1", NULL);
    cr_assert_eq(add_container(5, 0x11, "aa", 1, &error), 0);
    cr_assert_eq(add_container(5, 0x12, "bb", 1, &error), 0);
    cr_assert_eq(database_containers(database, 5, false, &rows, &n_rows, &error), 0);
    cr_assert_eq(n_rows, 2);
    cr_assert_str_eq(rows[0].name, "bb");
    container_rows_free(rows, n_rows);
    memset(high, 0xff, sizeof high);
    high[0] = 0x1f;
    cr_assert_eq(database_find_container_range(database, 5, low, high, found, &count, &error), 0);
    cr_assert_eq(count, 2);
    high[0] = 0x11;
    cr_assert_eq(database_find_container_range(database, 5, low, high, found, &count, &error), 0);
    cr_assert_eq(count, 1);
    cr_assert_eq(found[0], 0x11);
    cr_assert_eq(database_find_container_range(database, 6, low, high, found, &count, &error), 0);
    cr_assert_eq(count, 0, "another tenant finds nothing");
}

Test(database, of_a_newer_engine_is_refused)
{
    struct bh_error error = {0};
    struct database *newer = NULL;
    sqlite3 *handle = NULL;
    database_close(bh_steal_pointer(&database));
    cr_assert_eq(sqlite3_open(path, &handle), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(handle, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(handle);
    cr_assert_eq(database_open(path, &newer, &error), -1);
    cr_assert_eq(error.code, BH_FAILED_PRECONDITION, "%s", error.message);
}

Test(database, has_an_id_that_stays)
{
    struct bh_error error = {0};
    char id[37], again[37];
    cr_assert_eq(database_engine_id(database, id, &error), 0);
    cr_assert_eq(strlen(id), 36);
    open_again();
    cr_assert_eq(database_engine_id(database, again, &error), 0);
    cr_assert_str_eq(id, again);
}
