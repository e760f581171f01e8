/* SPDX-License-Identifier: Apache-2.0
 *
 * Honest registries: manifests, blobs, ranges, tags, credentials, TLS, and what goes wrong without malice.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "stage.h"

#define MANIFEST_TEXT "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\"}"

static struct stage stage;
static struct server server;

static void setup(void)
{
    stage_make_root(&stage);
    stage_start(&stage, NULL);
}

static void teardown(void)
{
    stage_stop(&stage);
    server_stop(&server);
}

TestSuite(fetch, .init = setup, .fini = teardown, .timeout = 60);

static void open_registry(const char *repository, const Bulkhead__Credentials *credentials)
{
    struct bh_error error;
    cr_assert_eq(stage_open(&stage, server.address, repository, credentials, &error), 0, "%s", error.message);
}

static void serve(const char *const *arguments)
{
    server_start(&server, stage.root, arguments);
    open_registry("test", NULL);
}

static void expect_blob(const struct fetched *fetched, const struct bh_digest *digest, size_t size)
{
    struct bh_digest got;
    cr_assert_eq(fetched->result, 0, "%s", fetched->text);
    cr_expect_eq(fetched->size_bytes, size);
    cr_assert_eq(fetched->n_bytes, size);
    cr_assert_eq(bh_digest_of(fetched->bytes, fetched->n_bytes, &got, NULL), 0);
    cr_expect(bh_digest_equal(&got, digest), "the bytes must be the blob's");
}

Test(fetch, manifest_by_tag_and_digest_over_plain_http_from_loopback)
{
    struct bh_digest digest = stage_add_manifest(&stage, "test", "latest", MANIFEST_TEXT);
    serve(NULL);
    autofetched struct fetched by_tag = stage_manifest(&stage, "latest", NULL);
    cr_assert_eq(by_tag.result, 0, "%s", by_tag.text);
    cr_expect_eq(by_tag.n_bytes, strlen(MANIFEST_TEXT));
    cr_expect_arr_eq(by_tag.bytes, MANIFEST_TEXT, strlen(MANIFEST_TEXT));
    cr_expect_eq(by_tag.media_type, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST);
    cr_expect(by_tag.has_digest);
    autofetched struct fetched by_digest = stage_manifest(&stage, NULL, &digest);
    cr_assert_eq(by_digest.result, 0, "%s", by_digest.text);
    cr_expect_eq(by_digest.size_bytes, strlen(MANIFEST_TEXT));
}

Test(fetch, blob_whole_from_an_offset_and_checked)
{
    const size_t size = 5 * 1000 * 1000 + 3;
    struct bh_digest digest = stage_add_blob(&stage, size);
    serve(NULL);
    autofetched struct fetched whole = stage_blob(&stage, &digest, size, 0, 0);
    expect_blob(&whole, &digest, size);
    autofetched struct fetched rest = stage_blob(&stage, &digest, size, 4000001, 0);
    cr_assert_eq(rest.result, 0, "%s", rest.text);
    cr_expect_eq(rest.n_bytes, size - 4000001);
    cr_expect_arr_eq(rest.bytes, whole.bytes + 4000001, rest.n_bytes);
    uint64_t told = 0;
    struct bh_error error;
    cr_assert_eq(stage_check(&stage, &digest, &told, &error), 0, "%s", error.message);
    cr_expect_eq(told, size);
}

Test(fetch, several_blobs_at_once_while_one_pipe_is_not_read)
{
    const size_t size = 8 * 1000 * 1000;
    struct bh_digest slow = stage_add_blob(&stage, size), fast = stage_add_blob(&stage, size + 1);
    serve(NULL);
    struct bh_call *call = NULL;
    int pipe_fd = -1;
    stage_blob_start(&stage, &slow, size, &call, &pipe_fd);
    autofetched struct fetched other = stage_blob(&stage, &fast, size + 1, 0, 0);
    expect_blob(&other, &fast, size + 1);
    /* Now the first is read, too. */
    struct fetched first = {.bytes = malloc(size + 1)};
    cr_assert_eq(bh_read_full(pipe_fd, first.bytes, size + 1, &first.n_bytes, "pipe", NULL), 0);
    first.size_bytes = first.n_bytes;
    expect_blob(&first, &slow, size);
    fetched_free(&first);
    bh_call_free(call);
    (void)close(pipe_fd);
}

Test(fetch, a_connection_that_stops_is_resumed_by_range)
{
    const size_t size = 3 * 1000 * 1000;
    struct bh_digest digest = stage_add_blob(&stage, size);
    serve((const char *const[]){"--fault", "stop-once=1234567", NULL});
    autofetched struct fetched fetched = stage_blob(&stage, &digest, size, 0, 0);
    expect_blob(&fetched, &digest, size);
    cr_expect_eq(server_log_count(&server, "bytes=1234567-"), 1, "resumed where it stopped");
}

Test(fetch, a_server_without_ranges_is_read_from_the_start)
{
    const size_t size = 3 * 1000 * 1000;
    struct bh_digest digest = stage_add_blob(&stage, size);
    serve((const char *const[]){"--fault", "stop-once=1234567", "--fault", "range-ignored", NULL});
    autofetched struct fetched fetched = stage_blob(&stage, &digest, size, 0, 0);
    expect_blob(&fetched, &digest, size);
}

Test(fetch, too_many_requests_are_waited_out)
{
    struct bh_digest digest = stage_add_blob(&stage, 1000);
    serve((const char *const[]){"--fault", "status-once=429", NULL});
    autofetched struct fetched fetched = stage_blob(&stage, &digest, 1000, 0, 0);
    expect_blob(&fetched, &digest, 1000);
    cr_expect_geq(fetched.took_ms, 1000, "Retry-After is honoured");
}

Test(fetch, unknown_names_are_told_in_dockers_words)
{
    char expected[256];
    struct bh_digest digest = stage_add_blob(&stage, 10);
    serve(NULL);
    autofetched struct fetched fetched = stage_manifest(&stage, "nope", NULL);
    cr_assert_eq(fetched.result, -1);
    cr_expect_eq(fetched.error.code, BH_NOT_FOUND);
    (void)snprintf(expected, sizeof(expected),
                   "manifest for %s/test:nope not found: manifest unknown: manifest unknown", server.address);
    cr_expect_str_eq(fetched.text, expected);
    digest.bytes[0] ^= 1;
    autofetched struct fetched blob = stage_blob(&stage, &digest, 10, 0, 0);
    cr_expect_eq(blob.error.code, BH_NOT_FOUND);
    uint64_t size;
    struct bh_error error;
    cr_expect_eq(stage_check(&stage, &digest, &size, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND);
}

Test(fetch, nobody_listens)
{
    server_start(&server, stage.root, NULL);
    char address[64];
    memcpy(address, server.address, sizeof(address));
    server_stop(&server);
    struct bh_error error;
    cr_assert_eq(stage_open(&stage, address, "test", NULL, &error), 0);
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    cr_expect_eq(fetched.error.code, BH_UNAVAILABLE);
    cr_expect(strstr(fetched.text, "dial tcp 127.0.0.1:") && strstr(fetched.text, "connect: connection refused"), "%s",
              fetched.text);
}

Test(fetch, denied_and_broken_registries)
{
    static const struct {
        const char *fault;
        enum bh_code code;
        const char *text;
    } cases[] = {
        {"status=403", BH_NOT_FOUND,
         "repository does not exist or may require 'docker login': denied: requested access"},
        {"status=401", BH_UNAUTHENTICATED, "no basic auth credentials"},
        {"status=500", BH_UNAVAILABLE, "500 Internal Server Error"},
    };
    stage_add_manifest(&stage, "test", "latest", MANIFEST_TEXT);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        serve((const char *const[]){"--fault", cases[i].fault, "--fault", "challenge=Basic realm=\"x\"", NULL});
        autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
        cr_expect_eq(fetched.error.code, cases[i].code, "%s: %s", cases[i].fault, fetched.text);
        cr_expect(strstr(fetched.text, cases[i].text), "%s: %s", cases[i].fault, fetched.text);
        server_stop(&server);
    }
}

Test(fetch, a_cancelled_blob_closes_its_pipe_and_the_next_succeeds)
{
    const size_t size = 8 * 1000 * 1000;
    struct bh_digest digest = stage_add_blob(&stage, size);
    serve(NULL);
    struct bh_call *call = NULL;
    int pipe_fd = -1;
    stage_blob_start(&stage, &digest, size, &call, &pipe_fd);
    bh_call_free(call); /* tells the worker */
    bh_autofree char *bytes = malloc(size + 1);
    size_t n = 0;
    cr_assert_eq(bh_read_full(pipe_fd, bytes, size + 1, &n, "pipe", NULL), 0);
    cr_expect_lt(n, size, "the pipe must end early");
    (void)close(pipe_fd);
    autofetched struct fetched fetched = stage_blob(&stage, &digest, size, 0, 0);
    expect_blob(&fetched, &digest, size);
}
