/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads and targets of requests: one reading, or none.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "http_head.h"
#include "http_target.h"

static int parse(const char *text, struct http_head *head, struct bh_error *error)
{
    static char bytes[4096];
    size_t n_bytes = strlen(text);
    memcpy(bytes, text, n_bytes);
    return http_head_parse(bytes, n_bytes, head, error);
}

Test(http_head, an_honest_request)
{
    struct http_head head;
    struct bh_error error = {0};
    cr_assert_eq(parse("POST /a?b HTTP/1.1\r\nHost: d\r\nX-Long:  v \t\r\nTransfer-Encoding: chunked\r\n"
                       "Connection: keep-alive, Upgrade\r\nUpgrade: tcp\r\nExpect: 100-continue\r\n\r\n",
                       &head, &error),
                 0, "%s", error.message);
    cr_assert_str_eq(head.method, "POST");
    cr_assert_str_eq(head.target, "/a?b");
    cr_assert_str_eq(http_head_field(&head, "x-long"), "v");
    cr_assert(head.chunked && head.keep_alive && head.upgrade && head.expect_continue && !head.has_length);
}

Test(http_head, ambiguous_heads_are_refused)
{
    static const char *const bad[] = {
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n continued\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET /\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 x\r\nHost: a\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_head head;
        struct bh_error error = {0};
        cr_expect_eq(parse(bad[i], &head, &error), -1, "%s", bad[i]);
        cr_expect_neq(error.code, BH_OK);
    }
}

Test(http_host, only_local_names)
{
    static const char *const good[] = {
        "docker", "localhost", "localhost:2375", "api.moby.localhost", "127.0.0.1", "127.0.0.1:1",
        "[::1]",  "[::1]:80",  "%2Fvar%2Frun",   "/var/run/x.sock",    "v1.41",     "docker.example.com",
        ""};
    static const char *const bad[] = {"evil.example",
                                      "localhost.evil.example",
                                      "evil.localhost.example",
                                      "10.0.0.1",
                                      "[::2]",
                                      "v1.evil",
                                      ".localhost",
                                      "docker:80a",
                                      "127.0.0.1.nip.io",
                                      "docker.example.org",
                                      "x.docker.example.com",
                                      "evil.example:80"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect_eq(http_host_check(good[i], NULL), 0, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_eq(http_host_check(bad[i], NULL), -1, "%s", bad[i]);
    }
}

Test(http_target, decodes_once)
{
    struct http_target target;
    struct bh_error error = {0};
    cr_assert_eq(http_target_parse("/v1.30/images/a%2Fb%3Atag/json?x=1%2B1+2&flag&empty=&x=2", &target, &error), 0,
                 "%s", error.message);
    cr_assert_str_eq(target.path, "/images/a/b:tag/json");
    cr_assert_eq(target.version, 30);
    cr_assert_str_eq(http_parameter(&target, "x"), "1+1 2");
    cr_assert_not(http_parameter_bool(&target, "flag", true));
    cr_assert_not(http_parameter_bool(&target, "empty", true));
    cr_assert(http_parameter_bool(&target, "absent", true));
    http_target_free(&target);
    cr_assert_eq(http_target_parse("/containers/%252e%252e/json", &target, &error), 0);
    cr_assert_str_eq(target.path, "/containers/%2e%2e/json");
    cr_assert_eq(target.version, 47);
    http_target_free(&target);
    cr_assert_eq(http_target_parse("http://docker/v1.24/info", &target, &error), 0);
    cr_assert_str_eq(target.path, "/info");
    http_target_free(&target);
}

Test(http_target, what_is_refused)
{
    static const char *const bad[] = {
        "x",        "/a/../b", "/a/%2e%2e/b", "/a/%2e/b", "//a",        "/a//b",           "/a//",
        "/a%00",    "/a%0a",   "/a%",         "/a%4",     "/a%g1",      "/a?b=%",          "/a?b=%00",
        "/v1.48/x", "/v2.0/x", "/v1.23/x",    "/v0/x",    "/v1.9999/x", "/a%2f%2e%2e%2fb", "*"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct http_target target;
        struct bh_error error = {0};
        cr_expect_eq(http_target_parse(bad[i], &target, &error), -1, "%s", bad[i]);
        cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    }
}

Test(http_target, numbers_have_bounds)
{
    struct http_target target;
    int64_t value = 7;
    cr_assert_eq(http_target_parse("/a?n=12&big=99999999999999999999&word=x&space=%201", &target, NULL), 0);
    cr_assert_eq(http_parameter_int(&target, "absent", 0, 9, &value, NULL), 0);
    cr_assert_eq(value, 7);
    cr_assert_eq(http_parameter_int(&target, "n", 0, 12, &value, NULL), 0);
    cr_assert_eq(value, 12);
    cr_assert_eq(http_parameter_int(&target, "n", 0, 11, &value, NULL), -1);
    cr_assert_eq(http_parameter_int(&target, "big", 0, INT64_MAX, &value, NULL), -1);
    cr_assert_eq(http_parameter_int(&target, "word", 0, 9, &value, NULL), -1);
    cr_assert_eq(http_parameter_int(&target, "space", 0, 9, &value, NULL), -1);
    http_target_free(&target);
}
