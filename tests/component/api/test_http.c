/* SPDX-License-Identifier: Apache-2.0
 *
 * The api process from outside: raw bytes of HTTP, honest and hostile.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine_double.h"

TestSuite(http, .init = engine_double_start, .fini = engine_double_stop, .timeout = 60);

#define CLOSE "Host: docker\r\nConnection: close\r\n\r\n"

Test(http, ping_names_the_api)
{
    const char *response = http_once("GET /_ping HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    cr_assert(strstr(response, "Api-Version: 1.47\r\n"));
    cr_assert(strstr(response, "Docker-Experimental: false\r\n"));
    cr_assert(strstr(response, "Ostype: linux\r\n"));
    cr_assert(strstr(response, "Swarm: inactive\r\n"));
    cr_assert(strstr(response, "\r\n\r\nOK"));
    response = http_once("HEAD /_ping HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    cr_assert_str_eq(strstr(response, "\r\n\r\n"), "\r\n\r\n");
}

Test(http, what_is_not_one_reading_is_refused)
{
    static const struct {
        const char *request;
        int status;
        const char *says;
    } cases[] = {
        {"GET /_ping HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "not local"},
        {"GET /_ping HTTP/1.1\r\nHost: docker.evil.example:2375\r\n\r\n", 403, "not local"},
        {"GET /_ping HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "Host"},
        {"GET /_ping HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "2 times"},
        {"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
         400, "exclude"},
        {"POST /auth HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "2 times"},
        {"POST /auth HTTP/1.1\r\nHost: d\r\nContent-Length: +2\r\n\r\n{}", 400, "decimal"},
        {"POST /auth HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "gzip"},
        {"GET /_ping HTTP/1.1\r\nHost: d\r\nX-A: b\r\n folded\r\n\r\n", 400, "folded"},
        {"GET /_ping HTTP/1.1\r\nHost : d\r\n\r\n", 400, "name"},
        {"GET /_ping HTTP/1.1\nHost: d\n\n", 400, "CRLF"},
        {"GET  /_ping HTTP/1.1\r\nHost: d\r\n\r\n", 400, "first line"},
        {"GET /_ping HTTP/2.0\r\nHost: d\r\n\r\n", 400, "version"},
        {"GET /containers/%2e%2e/json HTTP/1.1\r\n" CLOSE, 400, ".."},
        {"GET /containers/../images/json HTTP/1.1\r\n" CLOSE, 400, ".."},
        {"GET //containers/json HTTP/1.1\r\n" CLOSE, 400, "empty"},
        {"GET /containers//json HTTP/1.1\r\n" CLOSE, 400, "empty"},
        {"GET /containers/a%00b/json HTTP/1.1\r\n" CLOSE, 400, "control"},
        {"GET /containers/a%zz/json HTTP/1.1\r\n" CLOSE, 400, "escape"},
        {"GET /containers/a%252e%252e/json HTTP/1.1\r\n" CLOSE, 404, "No such container"},
        {"GET /nowhere HTTP/1.1\r\n" CLOSE, 404, "page not found"},
        {"GET /containers/create HTTP/1.1\r\n" CLOSE, 405, "Method Not Allowed"},
        {"GET /v1.99/info HTTP/1.1\r\n" CLOSE, 400,
         "client version 1.99 is too new. Maximum supported API version is 1.47"},
        {"GET /v1.12/info HTTP/1.1\r\n" CLOSE, 400,
         "client version 1.12 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer "
         "version"},
        {"GET /swarm HTTP/1.1\r\n" CLOSE, 503, "not a swarm manager"},
        {"POST /build HTTP/1.1\r\n" CLOSE, 501, "not implemented"},
        {"GET /v1.47/info HTTP/1.1\r\n" CLOSE, 200, "\"ID\":\"double\""},
        {"GET /v1.24/version HTTP/1.1\r\n" CLOSE, 200, "\"MinAPIVersion\":\"1.24\""},
        {"GET /_ping HTTP/1.0\r\n\r\n", 200, "OK"},
        {"GET /_ping HTTP/1.1\r\nHost: %2Frun%2Fdocker.sock\r\nConnection: close\r\n\r\n", 200, "OK"},
        {"GET /_ping HTTP/1.1\r\nHost: api.moby.localhost\r\nConnection: close\r\n\r\n", 200, "OK"},
        {"GET /_ping HTTP/1.1\r\nHost: 127.0.0.1:2375\r\nConnection: close\r\n\r\n", 200, "OK"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = engine_double_connect();
        (void)!write(fd, cases[i].request, strlen(cases[i].request));
        shutdown(fd, SHUT_WR);
        const char *response = http_talk(fd, "", 0);
        close(fd);
        cr_expect_eq(http_status(response), cases[i].status, "%s answered %.300s", cases[i].request, response);
        cr_expect(strstr(response, cases[i].says), "%s answered %s", cases[i].request, response);
    }
}

Test(http, heads_have_a_limit)
{
    size_t n_bytes = 80 * 1024;
    char *request = malloc(n_bytes + 1);
    memset(request, 'a', n_bytes);
    memcpy(request, "GET /_ping HTTP/1.1\r\nHost: d\r\nX: ", 34);
    request[n_bytes] = '\0';
    int fd = engine_double_connect();
    cr_assert_eq(http_status(http_talk(fd, request, n_bytes)), 431);
    close(fd);
    free(request);
    cr_assert_eq(http_status(http_once("GET /_ping HTTP/1.1\r\n" CLOSE)), 200);
}

Test(http, requests_follow_each_other_on_one_connection)
{
    static const char two[] = "GET /_ping HTTP/1.1\r\nHost: d\r\n\r\nGET /version HTTP/1.1\r\n" CLOSE;
    const char *response = http_once(two);
    cr_assert_eq(http_status(response), 200);
    const char *second = strstr(response + 9, "HTTP/1.1 200 OK");
    cr_assert(second);
    cr_assert(strstr(second, "\"ApiVersion\":\"1.47\""));
}

/* A POST of JSON as one request that closes. */
static const char *post(const char *path, const char *json)
{
    static char request[6 * 1024 * 1024];
    snprintf(request, sizeof(request),
             "POST %s HTTP/1.1\r\nHost: d\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
             "%zu\r\n\r\n%s",
             path, strlen(json), json);
    return http_once(request);
}

Test(http, json_is_strict)
{
    static const struct {
        const char *json;
        int status;
        const char *says;
    } cases[] = {
        {"", 400, "EOF"},
        {"[]", 400, "object"},
        {"{\"Image\":\"a\"} x", 400, "invalid JSON"},
        {"{\"Image\":\"a\",\"Image\":\"b\"}", 400, "duplicate"},
        {"{\"Image\":5}", 400, "Image must be a string"},
        {"{\"Image\":\"a\",\"Cmd\":[1]}", 400, "Cmd must be"},
        {"{\"Image\":\"a\",\"HostConfig\":{\"Memory\":\"x\"}}", 400, "HostConfig.Memory must be a whole number"},
        {"{\"Image\":\"a\",\"HostConfig\":{\"privileged\":true,\"Privileged\":false}}", 400, "duplicate"},
        {"{\"image\":\"a\",\"Image\":\"b\"}", 400, "duplicate"},
        {"{\"Image\":\"a\",\"HostConfig\":{\"privilege\":true}}", 400, "unknown field \\\"HostConfig.privilege\\\""},
        {"{\"Image\":\"a\",\"Env\":[\"a\\u0000b\"]}", 400, "invalid JSON"},
        {"{}", 400, "config cannot be empty"},
        {"{\"Cmd\":[\"a\"]}", 400, "Image"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *response = post("/containers/create", cases[i].json);
        cr_expect_eq(http_status(response), cases[i].status, "%s answered %s", cases[i].json, response);
        cr_expect(strstr(response, cases[i].says), "%s answered %s", cases[i].json, response);
    }
    cr_assert_null(engine.created, "nothing of this reached the engine");
}

Test(http, json_depth_and_size_have_limits)
{
    size_t depth = 100000;
    char *json = malloc(2 * depth + 32);
    strcpy(json, "{\"Image\":");
    memset(json + 9, '[', depth);
    memset(json + 9 + depth, ']', depth);
    strcpy(json + 9 + 2 * depth, "}");
    const char *response = post("/containers/create", json);
    cr_assert_eq(http_status(response), 400);
    cr_assert(strstr(response, "nested deeper than 32"));
    free(json);

    size_t limit = 4 * 1024 * 1024;
    json = malloc(limit + 2);
    memset(json, ' ', limit + 1);
    json[limit + 1] = '\0';
    memcpy(json, "{\"Image\":\"a\"}", 13);
    response = post("/containers/create", json);
    cr_assert_eq(http_status(response), 507);
    json[limit] = '\0';
    response = post("/containers/create", json);
    cr_assert_eq(http_status(response), 201, "%s", response);
    free(json);
}

Test(http, bodies_in_chunks_are_read_strictly)
{
    static const char head[] = "POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
                               "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const struct {
        const char *body;
        int status;
    } cases[] = {
        {"5\r\n{\"Ima\r\n8;ext=1\r\nge\":\"a\"}\r\n0\r\nX-Trailer: y\r\n\r\n", 201},
        {"d\r\n{\"Image\":\"a\"}\r\n0\r\n\r\n", 201},
        {"d\n{\"Image\":\"a\"}\r\n0\r\n\r\n", 400},
        {"-1\r\n{}\r\n0\r\n\r\n", 400},
        {"2\r\n{}{}\r\n0\r\n\r\n", 400},
        {"ffffffffffffffffff\r\n{}", 400},
        {"zz\r\n{}", 400},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char request[512];
        snprintf(request, sizeof(request), "%s%s", head, cases[i].body);
        const char *response = http_once(request);
        cr_expect_eq(http_status(response), cases[i].status, "%s answered %s", cases[i].body, response);
    }
}

Test(http, other_content_types_are_refused)
{
    const char *response = http_once("POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
                                     "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
    cr_assert_eq(http_status(response), 400);
    cr_assert(strstr(response, "unsupported Content-Type header (text/plain): must be 'application/json'"));
}

Test(http, a_body_is_asked_for_with_100_continue)
{
    int fd = engine_double_connect();
    static const char head[] =
        "POST /containers/create HTTP/1.1\r\nHost: d\r\nConnection: close\r\nExpect: 100-continue\r\n"
        "Content-Type: application/json\r\nContent-Length: 13\r\n\r\n";
    char go_on[64] = "";
    cr_assert_eq(write(fd, head, sizeof(head) - 1), (ssize_t)sizeof(head) - 1);
    cr_assert_gt(read(fd, go_on, sizeof(go_on) - 1), 0);
    cr_assert_str_eq(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    cr_assert_eq(http_status(http_talk(fd, "{\"Image\":\"a\"}", 13)), 201);
    close(fd);
}

Test(http, auth_goes_to_the_registry_that_was_named)
{
    const char *response = post(
        "/auth", "{\"username\":\"u\",\"password\":\"right\",\"serveraddress\":\"https://registry.example:5000/v2/\"}");
    cr_assert_eq(http_status(response), 200, "%s", response);
    cr_assert(strstr(response, "Login Succeeded"));
    cr_assert_str_eq(engine.asked, "registry.example:5000");
    response = post("/auth", "{\"username\":\"u\",\"password\":\"wrong\"}");
    cr_assert_eq(http_status(response), 401);
    cr_assert_str_eq(engine.asked, "registry-1.docker.io");
}

Test(http, privileges_and_audit_are_shown)
{
    const char *response = http_once("GET /bulkhead/privileges HTTP/1.1\r\n" CLOSE);
    cr_assert_eq(http_status(response), 200);
    cr_assert(strstr(response, "[{\"role\":\"engine\""));
    response = http_once("GET /bulkhead/audit/verify HTTP/1.1\r\n" CLOSE);
    cr_assert(strstr(response, "\"records\":5"));
    cr_assert(strstr(response, "\"head\":\"sha256:2222"));
}
