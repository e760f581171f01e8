/* SPDX-License-Identifier: Apache-2.0
 *
 * Option values, environment files, image names, words for sizes and times, frames and keys.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "detach_keys.h"
#include "env_file.h"
#include "fields.h"
#include "human.h"
#include "image_name.h"
#include "registry_auth.h"
#include "stream_frames.h"
#include "value_mount.h"
#include "values.h"

static struct bh_error error;

Test(values, bytes)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } good[] = {{"0", 0},          {"1", 1},       {"512", 512},        {"10b", 10},         {"1k", 1024},
                {"1kb", 1024},     {"1KiB", 1024}, {"64m", 64LL << 20}, {"1.5g", 3LL << 29}, {"2T", 2LL << 40},
                {"1 m", 1LL << 20}};
    static const char *const bad[] = {"",    "x",    "-1",           "m",   "1x",  "1mm", "1 2",
                                      "1e3", "0x10", "99999999999p", "nan", "1kbb"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        int64_t bytes = -1;
        cr_assert_eq(value_bytes(good[i].text, &bytes, &error), 0, "%s", good[i].text);
        cr_assert_eq(bytes, good[i].bytes, "%s", good[i].text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        int64_t bytes = 0;
        cr_assert_eq(value_bytes(bad[i], &bytes, &error), -1, "accepted %s", bad[i]);
    }
}

Test(values, cpus)
{
    int64_t nano = 0;
    cr_assert_eq(value_nano_cpus("1.5", &nano, &error), 0);
    cr_assert_eq(nano, 1500000000);
    cr_assert_eq(value_nano_cpus(".000000001", &nano, &error), 0);
    cr_assert_eq(nano, 1);
    static const char *const bad[] = {"", ".", "-1", "1,5", "0.0000000001", "abc", "1.5.5", "99999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        cr_assert_eq(value_nano_cpus(bad[i], &nano, &error), -1, "accepted %s", bad[i]);
    }
}

Test(values, ulimits)
{
    json_auto json_t *pair = NULL, *single = NULL, *unlimited = NULL;
    cr_assert_eq(value_ulimit("nofile=1024:2048", &pair, &error), 0);
    cr_assert_str_eq(field_text(pair, "Name"), "nofile");
    cr_assert_eq(field_integer(pair, "Soft"), 1024);
    cr_assert_eq(field_integer(pair, "Hard"), 2048);
    cr_assert_eq(value_ulimit("nproc=5", &single, &error), 0);
    cr_assert_eq(field_integer(single, "Hard"), 5);
    cr_assert_eq(value_ulimit("core=-1:-1", &unlimited, &error), 0);
    cr_assert_eq(field_integer(unlimited, "Soft"), -1);
    static const char *const bad[] = {"",           "nofile",  "nofile=", "nofile=a",  "nofile=1:",  "nofile=1:2:3",
                                      "nofile=2:1", "files=1", "=1",      "nofile=-2", "nofile=-1:5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        json_t *refused = NULL;
        cr_assert_eq(value_ulimit(bad[i], &refused, &error), -1, "accepted %s", bad[i]);
    }
}

static void expect_bind(const char *text, const char *wanted)
{
    char *bind = NULL;
    cr_assert_eq(value_bind(text, "/here", &bind, &error), 0, "%s: %s", text, error.message);
    if (wanted) {
        cr_assert_str_eq(bind, wanted);
    } else {
        cr_assert_null(bind);
    }
    free(bind);
}

Test(values, binds)
{
    expect_bind("/a:/b", "/a:/b");
    expect_bind("/a:/b:ro", "/a:/b:ro");
    expect_bind("./sub:/b", "/here/sub:/b");
    expect_bind(".:/b", "/here:/b");
    expect_bind("../up:/b", "/here/../up:/b");
    expect_bind("name:/b", "name:/b");
    expect_bind("/only", NULL);
    static const char *const bad[] = {"", "rel", ":/b", "/a:", "/a:b", "/a:/b:ro:x", "/a::ro"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char *bind = NULL;
        cr_assert_eq(value_bind(bad[i], "/here", &bind, &error), -1, "accepted %s", bad[i]);
    }
}

Test(values, mounts)
{
    json_auto json_t *bind = NULL, *tmpfs = NULL;
    cr_assert_eq(value_mount("type=bind,src=/a,dst=/b,readonly", "/here", &bind, &error), 0);
    cr_assert_str_eq(field_text(bind, "Type"), "bind");
    cr_assert_str_eq(field_text(bind, "Source"), "/a");
    cr_assert_str_eq(field_text(bind, "Target"), "/b");
    cr_assert(field_truth(bind, "ReadOnly"));
    cr_assert_eq(value_mount("type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=0700", "/here", &tmpfs, &error), 0);
    cr_assert_eq(field_integer(tmpfs, "TmpfsOptions.SizeBytes"), 1 << 20);
    cr_assert_eq(field_integer(tmpfs, "TmpfsOptions.Mode"), 0700);
    static const char *const bad[] = {"", "type=bind,source=/a", "what=1,target=/b", "type,target=/b",
                                      "target=/b,tmpfs-mode=9"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        json_t *refused = NULL;
        cr_assert_eq(value_mount(bad[i], "/here", &refused, &error), -1, "accepted %s", bad[i]);
    }
}

Test(values, restart_policies)
{
    json_auto json_t *policy = NULL;
    cr_assert_eq(value_restart_policy("on-failure:3", &policy, &error), 0);
    cr_assert_eq(field_integer(policy, "MaximumRetryCount"), 3);
    static const char *const bad[] = {"", "never", "always:3", "on-failure:", "on-failure:x", "on-failure:-1"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        json_t *refused = NULL;
        cr_assert_eq(value_restart_policy(bad[i], &refused, &error), -1, "accepted %s", bad[i]);
    }
}

/* ---- environment files ----------------------------------------------------------------------------- */

static char *look_up(const char *name)
{
    static char value[] = "from-here";
    return strcmp(name, "KNOWN") == 0 ? value : NULL;
}

static int parse_env(const char *text, struct strings *entries)
{
    return env_file_parse("f", text, strlen(text), look_up, entries, &error);
}

Test(env_file, follows_dockers_rules)
{
    strings_auto struct strings entries = {0};
    cr_assert_eq(parse_env("\xef\xbb\xbf"
                           "A=1\n# comment\n\n  B = kept space \r\n   # indented comment\nC=\"quoted\" #not a "
                           "comment\nKNOWN\nUNKNOWN\nD=a=b\nE=",
                           &entries),
                 -1);
    cr_assert(strstr(error.message, "contains whitespaces") != NULL);
    strings_free(&entries);
    cr_assert_eq(
        parse_env("\xef\xbb\xbf"
                  "A=1\n# comment\n\n  B= kept space \r\n   # indented\nC=\"q\" #no comment\nKNOWN\nUNKNOWN\nD=a=b\nE=",
                  &entries),
        0);
    static const char *const wanted[] = {"A=1", "B= kept space ", "C=\"q\" #no comment", "KNOWN=from-here", "D=a=b",
                                         "E="};
    cr_assert_eq(entries.count, sizeof(wanted) / sizeof(*wanted));
    for (size_t i = 0; i < entries.count; i++) {
        cr_assert_str_eq(entries.items[i], wanted[i]);
    }
}

Test(env_file, refuses_lines_without_a_name_and_nul)
{
    strings_auto struct strings entries = {0};
    cr_assert_eq(parse_env("=value\n", &entries), -1);
    cr_assert_eq(env_file_parse("f", "A=1\0B", 5, look_up, &entries, &error), -1);
    cr_assert_eq(env_file_read("/nonexistent/file", look_up, &entries, &error), -1);
}

Test(env_file, single_options)
{
    strings_auto struct strings entries = {0};
    cr_assert_eq(setenv("BULKHEAD_TEST_VALUE", "7", 1), 0);
    cr_assert_eq(env_add("A=1", &entries, &error), 0);
    cr_assert_eq(env_add("BULKHEAD_TEST_VALUE", &entries, &error), 0);
    cr_assert_eq(env_add("BULKHEAD_TEST_ABSENT", &entries, &error), 0);
    cr_assert_eq(env_add("=x", &entries, &error), -1);
    cr_assert_eq(env_add("", &entries, &error), -1);
    cr_assert_eq(entries.count, 2);
    cr_assert_str_eq(entries.items[1], "BULKHEAD_TEST_VALUE=7");
}

/* ---- names ----------------------------------------------------------------------------------------- */

static void expect_name(const char *text, const char *name, const char *tag, const char *registry, const char *whole)
{
    bh_autofree char *got_name = NULL, *got_registry = NULL, *got_whole = NULL;
    const char *got_tag = NULL;
    cr_assert_eq(image_name_split(text, &got_name, &got_tag, &error), 0);
    cr_assert_str_eq(got_name, name);
    cr_assert_eq(got_tag == NULL, tag == NULL);
    if (tag) {
        cr_assert_str_eq(got_tag, tag);
    }
    cr_assert_eq(image_name_registry(text, &got_registry, &error), 0);
    cr_assert_str_eq(got_registry, registry);
    cr_assert_eq(image_name_whole(text, &got_whole, &error), 0);
    cr_assert_str_eq(got_whole, whole);
}

Test(image_name, is_split_as_docker_does)
{
    expect_name("busybox", "busybox", NULL, "docker.io", "docker.io/library/busybox:latest");
    expect_name("team/app:1.2", "team/app", "1.2", "docker.io", "docker.io/team/app:1.2");
    expect_name("host:5000/app", "host:5000/app", NULL, "host:5000", "host:5000/app:latest");
    expect_name("host:5000/app:x", "host:5000/app", "x", "host:5000", "host:5000/app:x");
    expect_name("localhost/app", "localhost/app", NULL, "localhost", "localhost/app:latest");
    expect_name("app@sha256:ab", "app", "sha256:ab", "docker.io", "docker.io/library/app@sha256:ab");
    expect_name("r.io/a:t@sha256:ab", "r.io/a", "sha256:ab", "r.io", "r.io/a@sha256:ab");
    char *name = NULL;
    const char *tag = NULL;
    cr_assert_eq(image_name_split("", &name, &tag, &error), -1);
    cr_assert_eq(image_name_split("app:", &name, &tag, &error), -1);
    cr_assert_eq(image_name_split(":tag", &name, &tag, &error), -1);
}

Test(registry_auth, is_base64url_with_padding)
{
    bh_autofree char *header = NULL;
    cr_assert_eq(registry_auth_encode("u", "p>?", "", "r:5", &header, &error), 0);
    cr_assert_str_eq(
        header, "X-Registry-Auth: eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InA-PyIsInNlcnZlcmFkZHJlc3MiOiJyOjUifQ==\r\n");
}

/* ---- words ------------------------------------------------------------------------------------------ */

Test(human, sizes)
{
    char buffer[HUMAN_BYTES];
    cr_assert_str_eq(human_size(0, buffer), "0B");
    cr_assert_str_eq(human_size(999, buffer), "999B");
    cr_assert_str_eq(human_size(1000, buffer), "1kB");
    cr_assert_str_eq(human_size(4270000, buffer), "4.27MB");
    cr_assert_str_eq(human_size(123456789, buffer), "123MB");
    cr_assert_str_eq(human_size(84300000000, buffer), "84.3GB");
    cr_assert_str_eq(human_size_binary(1536, buffer), "1.5KiB");
}

Test(human, durations)
{
    static const struct {
        int64_t seconds;
        const char *words;
    } rows[] = {
        {0, "Less than a second"}, {1, "1 second"},          {59, "59 seconds"},         {60, "About a minute"},
        {120, "2 minutes"},        {3599, "59 minutes"},     {3600, "About an hour"},    {7200, "2 hours"},
        {47 * 3600, "47 hours"},   {48 * 3600, "2 days"},    {13 * 86400, "13 days"},    {14 * 86400, "2 weeks"},
        {59 * 86400, "8 weeks"},   {60 * 86400, "2 months"}, {729 * 86400, "24 months"}, {730 * 86400, "2 years"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char buffer[HUMAN_BYTES];
        cr_assert_str_eq(human_duration(rows[i].seconds, buffer), rows[i].words);
    }
}

Test(human, moments)
{
    char buffer[HUMAN_BYTES];
    cr_assert_eq(human_parse_moment("1706691600", 0, buffer, &error), 0);
    cr_assert_str_eq(buffer, "1706691600.000000000");
    cr_assert_eq(human_parse_moment("1706691600.25", 0, buffer, &error), 0);
    cr_assert_str_eq(buffer, "1706691600.250000000");
    cr_assert_eq(human_parse_moment("1h30m", 10000, buffer, &error), 0);
    cr_assert_str_eq(buffer, "4600.000000000");
    cr_assert_eq(human_parse_moment("2024-01-31T10:00:00.5+01:00", 0, buffer, &error), 0);
    cr_assert_str_eq(buffer, "1706691600.500000000");
    cr_assert_eq(human_parse_moment("2024-01-31T09:00:00Z", 0, buffer, &error), 0);
    cr_assert_str_eq(buffer, "1706691600.000000000");
    static const char *const bad[] = {"",    "yesterday", "10", "10x", "2024-13-01", "2024-01-31T10:00:00+25:00",
                                      "-5m", "1.2.3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (strcmp(bad[i], "10") != 0) {
            cr_assert_eq(human_parse_moment(bad[i], 0, buffer, &error), -1, "accepted %s as %s", bad[i], buffer);
        }
    }
}

/* ---- streams ---------------------------------------------------------------------------------------- */

struct collected {
    char text[2][64];
};

static int collect(void *argument, int fd, const char *bytes, size_t n_bytes, struct bh_error *unused)
{
    struct collected *collected = argument;
    (void)unused;
    (void)strncat(collected->text[fd - 1], bytes, n_bytes);
    return 0;
}

Test(stream_frames, are_taken_apart_however_they_are_torn)
{
    static const char stream[] = "\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\4err!\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1.";
    for (size_t step = 1; step < sizeof(stream); step++) {
        struct stream_frames frames = {0};
        struct collected collected = {0};
        for (size_t at = 0; at < sizeof(stream) - 1; at += step) {
            size_t n = sizeof(stream) - 1 - at < step ? sizeof(stream) - 1 - at : step;
            cr_assert_eq(stream_frames_decode(&frames, stream + at, n, collect, &collected, &error), 0);
        }
        cr_assert_str_eq(collected.text[0], "out.");
        cr_assert_str_eq(collected.text[1], "err!");
    }
}

Test(stream_frames, an_unknown_type_is_refused)
{
    struct stream_frames frames = {0};
    struct collected collected = {0};
    cr_assert_eq(stream_frames_decode(&frames, "HTTP/1.1", 8, collect, &collected, &error), -1);
}

Test(detach_keys, the_sequence_is_recognized_and_nothing_else_is_held_back)
{
    struct detach_keys keys;
    char out[64];
    size_t n_out = 0;
    cr_assert_eq(detach_keys_parse(NULL, &keys, &error), 0);
    cr_assert_not(detach_keys_filter(&keys, "ab\x10", 3, out, &n_out));
    cr_assert_eq(n_out, 2);
    cr_assert_not(detach_keys_filter(&keys, "c", 1, out, &n_out));
    cr_assert_eq(n_out, 2);
    cr_assert_arr_eq(out,
                     "\x10"
                     "c",
                     2);
    cr_assert_not(detach_keys_filter(&keys, "x\x10", 2, out, &n_out));
    cr_assert(detach_keys_filter(&keys, "\x11y", 2, out, &n_out));
    cr_assert_eq(n_out, 0);
    cr_assert_eq(detach_keys_parse("ctrl-P", &keys, &error), -1);
    cr_assert_eq(detach_keys_parse("ab", &keys, &error), -1);
}
