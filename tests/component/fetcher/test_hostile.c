/* SPDX-License-Identifier: Apache-2.0
 *
 * Hostile registries (promise 1 and the rows of fetcher and dialer): each case ends in a typed error within its bounds,
 * the worker goes on serving, and nobody but the registry was told a secret.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "stage.h"

#define SIZE 3000000

static struct stage stage;
static struct server server, other;
static struct bh_digest digest;

static void setup(void)
{
    stage_make_root(&stage);
    digest = stage_add_blob(&stage, SIZE);
    stage_add_manifest(&stage, "test", "latest", "{\"schemaVersion\":2}");
    stage_start(&stage, NULL);
}

static void teardown(void)
{
    stage_stop(&stage);
    server_stop(&server);
    server_stop(&other);
}

TestSuite(hostile, .init = setup, .fini = teardown, .timeout = 90);

static void serve(const char *fault, const char *second)
{
    const char *arguments[5] = {"--fault", fault, second ? "--fault" : NULL, second};
    server_start(&server, stage.root, arguments);
    struct bh_error error;
    cr_assert_eq(stage_open(&stage, server.address, "test", NULL, &error), 0, "%s", error.message);
}

static void expect(const struct fetched *fetched, enum bh_code code, const char *text)
{
    cr_expect_eq(fetched->result, -1);
    cr_expect_eq(fetched->error.code, code, "%s: %s", bh_code_name(fetched->error.code), fetched->text);
    cr_expect(strstr(fetched->text, text), "\"%s\" should hold \"%s\"", fetched->text, text);
    cr_expect_null(strchr(fetched->text, '\n'), "one line");
}

static void expect_blob(const char *fault, const char *second, enum bh_code code, const char *text)
{
    serve(fault, second);
    autofetched struct fetched fetched = stage_blob(&stage, &digest, SIZE, 0, 0);
    expect(&fetched, code, text);
    cr_expect_leq(fetched.n_bytes, SIZE, "never more than was announced");
}

Test(hostile, another_range_than_asked_for)
{
    expect_blob("stop-once=100000", "range-wrong", BH_DATA_LOSS, "another range");
}

Test(hostile, more_bytes_than_the_blob_has)
{
    expect_blob("extra=100", NULL, BH_DATA_LOSS, "more than 3000000 bytes");
}

Test(hostile, lying_length)
{
    expect_blob("length=7", NULL, BH_DATA_LOSS, "announces 3000007 bytes instead of 3000000");
}

Test(hostile, always_stopping_ends_after_five_tries)
{
    expect_blob("stop=1000", NULL, BH_UNAVAILABLE, "stopped in the middle");
    cr_expect_eq(server_log_count(&server, "GET"), 5);
}

Test(hostile, redirect_to_a_file)
{
    expect_blob("redirect=file:///etc/passwd", NULL, BH_PERMISSION_DENIED, "only http and https");
}

Test(hostile, redirect_to_the_metadata_service)
{
    expect_blob("redirect=http://169.254.169.254/latest/meta-data/", NULL, BH_PERMISSION_DENIED, "metadata");
}

Test(hostile, redirect_to_a_private_network)
{
    expect_blob("redirect=https://10.1.2.3/secret", NULL, BH_PERMISSION_DENIED, "private address");
}

Test(hostile, redirect_to_another_port_of_loopback)
{
    char fault[128];
    server_start(&other, stage.root, NULL);
    (void)snprintf(fault, sizeof(fault), "redirect=http://%s/v2/x", other.address);
    expect_blob(fault, NULL, BH_PERMISSION_DENIED, "loopback address");
    cr_expect_eq(server_log_count(&other, "GET"), 0, "the other server must not hear of it");
}

Test(hostile, redirect_loop)
{
    expect_blob("redirect-loop", NULL, BH_UNAVAILABLE, "redirects more than 5 times");
}

Test(hostile, user_names_and_control_characters_in_a_redirect)
{
    expect_blob("redirect=http://user:password@127.0.0.1/", NULL, BH_INVALID_ARGUMENT, "no user");
}

Test(hostile, endless_head)
{
    expect_blob("flood", NULL, BH_RESOURCE_EXHAUSTED, "head is longer than 65536 bytes");
}

Test(hostile, one_long_header)
{
    expect_blob("long-header=20000", NULL, BH_DATA_LOSS, "too long");
}

Test(hostile, endless_manifest)
{
    serve("endless", NULL);
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    expect(&fetched, BH_DATA_LOSS, "sends more than 4194304 bytes");
    cr_expect_leq(fetched.n_bytes, BH_MANIFEST_BYTES_MAX);
}

Test(hostile, a_byte_now_and_then_ends_with_the_deadline)
{
    serve("slow=0.2", NULL);
    autofetched struct fetched fetched = stage_blob(&stage, &digest, SIZE, 0, 2000);
    cr_expect_eq(fetched.error.code, BH_DEADLINE_EXCEEDED, "%s", fetched.text);
    cr_expect_lt(fetched.n_bytes, 1000);
    /* The worker is free for the next. */
    uint64_t size = 0;
    struct bh_error error;
    cr_expect_eq(stage_check(&stage, &digest, &size, &error), 0, "%s", error.message);
    cr_expect_eq(size, SIZE);
}

Test(hostile, wrong_bytes_are_passed_on_for_the_store_to_find)
{
    serve("corrupt", NULL);
    autofetched struct fetched fetched = stage_blob(&stage, &digest, SIZE, 0, 0);
    struct bh_digest got;
    cr_assert_eq(fetched.result, 0, "%s", fetched.text);
    cr_assert_eq(bh_digest_of(fetched.bytes, fetched.n_bytes, &got, NULL), 0);
    cr_expect_not(bh_digest_equal(&got, &digest));
}

Test(hostile, unknown_content_types_are_not_guessed)
{
    serve("content-type=text/html", NULL);
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    cr_assert_eq(fetched.result, 0, "%s", fetched.text);
    cr_expect_eq(fetched.media_type, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED);
}

Test(hostile, malformed_challenges)
{
    serve("status=401", "challenge=Bearer realm=\"http://127.0.0.1/\",realm=\"http://evil/\"");
    autofetched struct fetched fetched = stage_manifest(&stage, "latest", NULL);
    expect(&fetched, BH_DATA_LOSS, "WWW-Authenticate");
}
