/* SPDX-License-Identifier: Apache-2.0
 *
 * The small readers and writers: JSON, times, sizes, paths, signals, capabilities, credentials, detach keys, seccomp
 * profiles.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "capability_names.h"
#include "create.h"
#include "detach_keys.h"
#include "common/docker_time.h"
#include "error_map.h"
#include "json_read.h"
#include "common/json_write.h"
#include "common/size.h"
#include "mounts.h"
#include "progress.h"
#include "registry_auth.h"
#include "seccomp_profile.h"
#include "signals.h"

Test(values, json_is_written_like_docker_writes_it)
{
    auto_json_writer writer = {0};
    write_object(&writer, NULL);
    write_string(&writer, "a\"b", "tab\there \x01 \xff \xc3\xa9 \xed\xa0\x80");
    write_array(&writer, "list");
    write_int(&writer, NULL, INT64_MIN);
    write_uint(&writer, NULL, UINT64_MAX);
    write_bool(&writer, NULL, true);
    write_null(&writer, NULL);
    write_object(&writer, NULL);
    write_object_end(&writer);
    write_array_end(&writer);
    write_strings(&writer, "none", NULL, 0, true);
    write_object_end(&writer);
    static const char right[] =
        "{\"a\\\"b\":\"tab\\there \\u0001 \xef\xbf\xbd \xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"list\":"
        "[-9223372036854775808,18446744073709551615,true,null,{}],\"none\":null}";
    cr_assert_eq(writer.n_bytes, sizeof(right) - 1, "%.*s", (int)writer.n_bytes, writer.bytes);
    cr_assert_arr_eq(writer.bytes, right, sizeof(right) - 1);
}

Test(values, json_is_read_strictly)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "1",
                                      "{",
                                      "{}x",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":NaN}",
                                      "{'a':1}",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *object = NULL;
        cr_expect_eq(json_parse_object(bad[i], strlen(bad[i]), "it", &object, NULL), -1, "%s", bad[i]);
    }
    char nested[80] = "{\"a\":";
    memset(nested + 5, '[', 31);
    memset(nested + 36, ']', 31);
    strcpy(nested + 67, "}");
    json_t *object = NULL;
    cr_assert_eq(json_parse_object(nested, strlen(nested), "it", &object, NULL), 0, "32 levels are allowed");
    cr_assert(json_is_default(object) && !json_is_empty(object));
    json_decref(object);
    static const char quoted[] = "{\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\":1}";
    cr_assert_eq(json_parse_object(quoted, strlen(quoted), "it", &object, NULL), 0, "brackets in strings are text");
    json_decref(object);
}

Test(values, times)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0001-01-01T00:00:00Z"},
        {1700000000123456789, "2023-11-14T22:13:20.123456789Z"},
        {1709210096500000000, "2024-02-29T12:34:56.5Z"},
        {-1000000000, "1969-12-31T23:59:59Z"},
        {4102444800000000000, "2100-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[DOCKER_TIME_SIZE];
        int64_t ns = 0;
        cr_expect_str_eq(docker_time(cases[i].ns, buffer), cases[i].text);
        if (cases[i].ns != 0) {
            cr_expect_eq(docker_time_parse(cases[i].text, strlen(cases[i].text), &ns, NULL), 0);
            cr_expect_eq(ns, cases[i].ns);
        }
    }
    int64_t ns;
    cr_assert_eq(docker_time_parse_stamp("since", "1700000000.25", &ns, NULL), 0);
    cr_assert_eq(ns, 1700000000250000000);
    cr_assert_eq(docker_time_parse_stamp("since", "2023-11-15T00:13:20+02:00", &ns, NULL), 0);
    cr_assert_eq(ns, 1700000000000000000);
    static const char *const bad[] = {
        "", "x", "1.", "1e5", "99999999999999999999", "2023-13-01T00:00:00Z", "2023-01-01T00:00:00", "-"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(docker_time_parse_stamp("since", bad[i], &ns, NULL), -1, "%s", bad[i]);
    }
}

Test(values, durations)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{0, "Less than a second"},  {1, "1 second"},           {59, "59 seconds"},
                 {60, "About a minute"},     {150, "2 minutes"},        {3600, "About an hour"},
                 {7200, "2 hours"},          {86400 * 2, "2 days"},     {86400 * 15, "2 weeks"},
                 {86400LL * 90, "3 months"}, {86400LL * 800, "2 years"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char buffer[HUMAN_DURATION_SIZE];
        cr_expect_str_eq(human_duration(cases[i].seconds, buffer), cases[i].text);
    }
}

Test(values, sizes_paths_signals_and_capabilities)
{
    uint64_t bytes;
    char path[64];
    cr_assert_eq(bh_size_parse("64m", &bytes), 0);
    cr_assert_eq(bytes, 64 << 20);
    cr_assert_eq(bh_size_parse("1GiB", &bytes), 0);
    cr_assert_eq(bh_size_parse("10kb", &bytes), 0);
    cr_assert_eq(bytes, 10240);
    static const char *const bad_sizes[] = {"", "m", "-1", "1x", "1mm", "99999999999999999999", "99999999999g", "1 m"};
    for (size_t i = 0; i < sizeof(bad_sizes) / sizeof(bad_sizes[0]); i++) {
        cr_expect_eq(bh_size_parse(bad_sizes[i], &bytes), -1, "%s", bad_sizes[i]);
    }
    cr_assert_eq(clean_path("//a/./b//", path, sizeof(path)), 0);
    cr_assert_str_eq(path, "/a/b");
    cr_assert_eq(clean_path("/", path, sizeof(path)), 0);
    cr_assert_str_eq(path, "/");
    cr_assert_eq(clean_path("/a/../b", path, sizeof(path)), -1);
    cr_assert_eq(clean_path("a", path, sizeof(path)), -1);
    cr_assert_eq(clean_path("/..a/...", path, sizeof(path)), 0);
    cr_assert_eq(clean_path("/0123456789012345678901234567890123456789012345678901234567890123", path, sizeof(path)),
                 -1);
    cr_assert(signal_is_known("SIGTERM") && signal_is_known("term") && signal_is_known("9") &&
              signal_is_known("RTMIN+3"));
    cr_assert(!signal_is_known("0") && !signal_is_known("65") && !signal_is_known("SIGX") &&
              !signal_is_known("RTMIN+31") && !signal_is_known("") && !signal_is_known("-9"));
    cr_assert_eq(capability_number("NET_ADMIN"), 12);
    cr_assert_eq(capability_number("cap_chown"), 0);
    cr_assert_eq(capability_number("ALL"), -1);
    cr_assert_eq(capability_number("12"), -1);
}

Test(values, credentials)
{
    Bulkhead__Credentials *credentials = NULL;
    cr_assert_eq(registry_auth_parse("eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InA_PiJ9", &credentials, NULL), 0);
    cr_assert_str_eq(credentials->password, "p?>");
    bulkhead__credentials__free_unpacked(credentials, NULL);
    static const char *const none[] = {"", "e30=", "e30", "bnVsbA=="};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        cr_expect_eq(registry_auth_parse(none[i], &credentials, NULL), 0, "%s", none[i]);
        cr_expect_null(credentials);
    }
    static const char *const bad[] = {"***", "e", "W10=", "eyJ1c2VybmFtZSI6NX0="};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(registry_auth_parse(bad[i], &credentials, NULL), -1, "%s", bad[i]);
    }
}

Test(values, detach_keys)
{
    struct detach_keys keys;
    unsigned char out[64];
    size_t n;
    cr_assert_eq(detach_keys_parse(NULL, &keys, NULL), 0);
    cr_assert_arr_eq(keys.keys, "\x10\x11", 2);
    cr_assert_eq(detach_keys_parse("a,ctrl-@,ctrl-_", &keys, NULL), 0);
    cr_assert_arr_eq(keys.keys, "a\0\x1f", 3);
    cr_assert_eq(detach_keys_parse("ctrl-p,ctrl-q", &keys, NULL), 0);
    cr_assert_not(detach_keys_filter(&keys, (const unsigned char *)"x\x10", 2, out, &n));
    cr_assert_eq(n, 1);
    cr_assert_not(detach_keys_filter(&keys, (const unsigned char *)"y\x10\x10", 3, out, &n));
    cr_assert_eq(n, 3);
    cr_assert_arr_eq(out, "\x10y\x10", 3);
    cr_assert(detach_keys_filter(&keys, (const unsigned char *)"\x11zz", 3, out, &n));
    cr_assert_eq(n, 0);
    static const char *const bad[] = {"ctrl-", "ctrl-!", "ab", ",", "a,", "ctrl-ab"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(detach_keys_parse(bad[i], &keys, NULL), -1, "%s", bad[i]);
    }
}

Test(values, seccomp_profiles)
{
    static const char *const bad[] = {
        "{}",
        "{\"defaultAction\":\"SCMP_ACT_NOTHING\"}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"/x\"}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"defaultErrnoRet\":5000}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[1]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_ALLOW\"}]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"]}]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
        "[{\"index\":6,"
        "\"value\":1,\"op\":\"SCMP_CMP_EQ\"}]}]}",
        "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"a\"],\"action\":\"SCMP_ACT_ALLOW\","
        "\"includes\":{\"caps\":"
        "[\"CAP_NONE\"]}}]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        Bulkhead__SeccompProfile *profile = NULL;
        cr_expect_eq(seccomp_profile_parse(bad[i], strlen(bad[i]), "amd64", "6.1.0", &profile, NULL), -1, "%s", bad[i]);
    }
}

Test(values, bars_and_statuses)
{
    char bar[128];
    cr_assert_str_eq(progress_bar(0, 0, bar, sizeof(bar)), "      0B");
    cr_assert_str_eq(progress_bar(5000, 4000, bar, sizeof(bar)),
                     "[==================================================>]      5kB/4kB");
    for (int code = 0; code < 20; code++) {
        struct bh_error error = {.code = (enum bh_code)code};
        cr_expect_geq(status_of_error(&error), 400);
        cr_expect_leq(status_of_error(&error), 599);
    }
}
