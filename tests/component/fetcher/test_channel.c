/* SPDX-License-Identifier: Apache-2.0
 *
 * A breached engine, or a careless one: requests in the wrong state or out of range are refused, and a job ends with
 * its channel.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "stage.h"

static struct stage stage;

static void setup(void)
{
    stage_make_root(&stage);
    stage_start(&stage, NULL);
}

static void teardown(void)
{
    stage_stop(&stage);
}

TestSuite(channel, .init = setup, .fini = teardown, .timeout = 60);

Test(channel, nothing_before_open_registry)
{
    stage_spawn(&stage);
    const struct bh_digest digest = {{1}};
    uint64_t size;
    struct bh_error error;
    cr_expect_eq(stage_check(&stage, &digest, &size, &error), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION, "%s", error.message);
}

Test(channel, bad_registries_and_repositories)
{
    static const struct {
        const char *host, *repository;
    } cases[] = {
        {"", "test"},           {"host/path", "test"},     {"user@host", "test"}, {"host:0", "test"},
        {"host:99999", "test"}, {"host name", "test"},     {"[::1", "test"},      {"..", "test"},
        {"host", "Test"},       {"host", "../etc/passwd"}, {"host", "a//b"},      {"host", "/a"},
        {"host", "a/"},         {"host", "a?b"},           {"host", "a b"},       {"host", "a/.."},
    };
    struct bh_error error;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_expect_eq(stage_open(&stage, cases[i].host, cases[i].repository, NULL, &error), -1, "%s %s", cases[i].host,
                     cases[i].repository);
        cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    }
}

Test(channel, secrets_with_line_ends)
{
    struct bh_error error;
    Bulkhead__Credentials credentials = BULKHEAD__CREDENTIALS__INIT;
    static char forged[] = "token\r\nHost: evil";
    credentials.registry_token = forged;
    cr_expect_eq(stage_open(&stage, "registry.example.com", "test", &credentials, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(channel, bad_tags_and_sizes)
{
    static const char *const tags[] = {"", ".x", "-x", "a/b", "a b", "a?b", "..", "a\xc3\xa9"};
    struct bh_error error;
    cr_assert_eq(stage_open(&stage, "registry.example.com", "test", NULL, &error), 0);
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        autofetched struct fetched fetched = stage_manifest(&stage, tags[i], NULL);
        cr_expect_eq(fetched.error.code, BH_INVALID_ARGUMENT, "%s: %s", tags[i], fetched.text);
    }
    const struct bh_digest digest = {{1}};
    autofetched struct fetched empty = stage_blob(&stage, &digest, 0, 0, 0);
    cr_expect_eq(empty.error.code, BH_INVALID_ARGUMENT);
    autofetched struct fetched beyond = stage_blob(&stage, &digest, 10, 10, 0);
    cr_expect_eq(beyond.error.code, BH_INVALID_ARGUMENT);
    autofetched struct fetched huge = stage_blob(&stage, &digest, UINT64_MAX, 0, 0);
    cr_expect_eq(huge.error.code, BH_INVALID_ARGUMENT);
}

Test(channel, the_end_of_the_job_channel_is_the_end_of_the_worker)
{
    stage_spawn(&stage);
    cr_assert_eq(kill(stage.worker, 0), 0);
    bh_channel_free(stage.job);
    stage.job = NULL;
    for (uint64_t until = bh_now_ms() + 5000; kill(stage.worker, 0) == 0 && bh_now_ms() < until;) {
        (void)poll(NULL, 0, 5);
    }
    cr_expect_eq(kill(stage.worker, 0), -1);
    cr_expect_eq(errno, ESRCH);
}
