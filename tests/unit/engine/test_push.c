/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine remembers for pushing, and the manifest it writes for images that came without one.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/engine/database_origins.h"
#include "services/engine/database_push.h"
#include "services/engine/manifest_json.h"

static char path[64];
static struct database *database;

static void begin(void)
{
    struct bh_error error;
    (void)snprintf(path, sizeof path, "/tmp/bh-push-test-%d.db", getpid());
    cr_assert_eq(database_open(path, &database, &error), 0, "%s", error.message);
}

static void end(void)
{
    database_close(database);
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        char file[80];
        (void)snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        (void)unlink(file);
    }
}

TestSuite(push, .init = begin, .fini = end);

static struct bh_digest numbered(uint8_t number)
{
    struct bh_digest digest = {0};
    digest.bytes[0] = number;
    return digest;
}

static size_t sources(uint32_t tenant, const char *registry, uint8_t digest, const char *but, char **ret_names)
{
    const struct bh_digest blob = numbered(digest);
    struct bh_error error;
    size_t n = 0;
    cr_assert_eq(database_blob_sources(database, tenant, registry, &blob, but, ret_names, 3, &n, &error), 0);
    return n;
}

static int is_origin(uint8_t digest, const char *registry)
{
    const struct bh_digest blob = numbered(digest);
    struct bh_error error;
    return database_is_origin(database, &blob, registry, &error);
}

Test(push, a_registry_is_an_origin_of_what_came_from_there)
{
    const struct bh_digest one = numbered(1), two = numbered(2);
    struct bh_error error;
    cr_assert_eq(database_add_origin(database, &one, "r:5000", &error), 0);
    cr_assert_eq(database_add_origin(database, &one, "r:5000", &error), 0, "twice");
    cr_assert_eq(database_add_origin(database, &one, "s", &error), 0);
    cr_assert_eq(database_add_origin(database, &two, "s", &error), 0);
    cr_expect_eq(is_origin(1, "r:5000"), 1);
    cr_expect_eq(is_origin(2, "r:5000"), 0, "of this blob alone");
    cr_expect_eq(is_origin(1, "r:5001"), 0, "and this host");
    cr_assert_eq(database_forget_origins(database, &one, &error), 0);
    cr_expect_eq(is_origin(1, "r:5000"), 0);
    cr_expect_eq(is_origin(1, "s"), 0);
    cr_expect_eq(is_origin(2, "s"), 1);
}

Test(push, a_blob_is_mounted_from_where_this_tenant_has_met_it)
{
    const struct bh_digest blobs[] = {numbered(1), numbered(2)};
    struct bh_error error;
    char *names[3];
    cr_assert_eq(database_add_blob_sources(database, 7, "r:5000", "team/a", blobs, 2, 100, &error), 0);
    cr_assert_eq(database_add_blob_sources(database, 7, "r:5000", "team/b", blobs, 1, 200, &error), 0);
    cr_assert_eq(sources(7, "r:5000", 1, "team/c", names), 2U);
    cr_expect_str_eq(names[0], "team/b", "the latest first");
    cr_expect_str_eq(names[1], "team/a");
    free(names[0]);
    free(names[1]);
    cr_assert_eq(sources(7, "r:5000", 1, "team/b", names), 1U, "not from itself");
    free(names[0]);
    cr_expect_eq(sources(8, "r:5000", 1, "team/c", names), 0U, "another tenant's");
    cr_expect_eq(sources(7, "other:5000", 1, "team/c", names), 0U, "another registry's");
    cr_expect_eq(sources(7, "r:5000", 3, "team/c", names), 0U, "another blob's");
}

Test(push, what_is_remembered_is_bounded)
{
    struct bh_error error;
    struct bh_digest digests[500];
    for (int round = 0; round < 25; round++) {
        for (size_t i = 0; i < 500; i++) {
            digests[i] = (struct bh_digest){0};
            (void)snprintf((char *)digests[i].bytes, sizeof digests[i].bytes, "%d %zu", round, i);
        }
        cr_assert_eq(database_add_blob_sources(database, 7, "r", "a", digests, 500, round + 1, &error), 0, "%s",
                     error.message);
    }
    char *names[3];
    size_t n = 0;
    cr_assert_eq(database_blob_sources(database, 7, "r", &digests[0], "b", names, 3, &n, &error), 0);
    cr_assert_eq(n, 1U, "the latest are there");
    free(names[0]);
    (void)snprintf((char *)digests[0].bytes, sizeof digests[0].bytes, "0 0");
    memset(digests[0].bytes + 4, 0, sizeof digests[0].bytes - 4);
    cr_assert_eq(database_blob_sources(database, 7, "r", &digests[0], "b", names, 3, &n, &error), 0);
    cr_expect_eq(n, 0U, "the oldest are not");
}

Test(push, a_packed_layer_of_nobodys_is_forgotten)
{
    const struct bh_digest source = numbered(1);
    struct packed_layer packed = {.digest = numbered(2), .size_bytes = 5, .compression = 2}, found;
    struct bh_error error;
    cr_assert_eq(database_packed_layer(database, &source, &found, &error), 0);
    cr_assert_eq(database_set_packed_layer(database, &source, &packed, &error), 0);
    cr_expect_eq(database_packed_layer(database, &source, &found, &error), 0, "no image has that layer");
}

Test(push, no_tag_of_a_neighbour)
{
    struct repository_tag *tags = NULL;
    size_t n_tags = 0;
    struct bh_error error;
    cr_assert_eq(database_repository_tags(database, 7, "docker.io/library/busybox", &tags, &n_tags, &error), 0);
    cr_expect_eq(n_tags, 0U);
    free(tags);
    cr_expect_eq(database_repository_known(database, 7, "docker.io/library/busybox", &error), 0);
}

Test(push, dockers_manifest_is_always_the_same_bytes)
{
    const struct manifest_blob config = {.digest = numbered(1), .size_bytes = 10};
    const struct manifest_blob layer = {
        .digest = numbered(2), .size_bytes = 20, .compression = BULKHEAD__COMPRESSION__COMPRESSION_GZIP};
    struct bh_error error;
    char *bytes = NULL;
    size_t n_bytes = 0;
    cr_assert_eq(manifest_json_write_docker(&config, &layer, 1, &bytes, &n_bytes, &error), 0);
    static const char wanted[] =
        "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"config\":"
        "{\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"digest\":"
        "\"sha256:0100000000000000000000000000000000000000000000000000000000000000\",\"size\":10},\"layers\":["
        "{\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"digest\":"
        "\"sha256:0200000000000000000000000000000000000000000000000000000000000000\",\"size\":20}]}";
    cr_expect(n_bytes == sizeof wanted - 1 && memcmp(bytes, wanted, n_bytes) == 0, "%.*s", (int)n_bytes, bytes);
    free(bytes);
}
