/* SPDX-License-Identifier: Apache-2.0
 *
 * Execs: every field that a client may give, what is refused, and how they are told.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "engine_double.h"

TestSuite(execs, .init = engine_double_start, .fini = engine_double_stop, .timeout = 60);

static const char *ask(const char *method, const char *path, const char *json)
{
    static char request[16384];
    snprintf(request, sizeof(request),
             "%s /v1.47%s HTTP/1.1\r\nHost: d\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s", method, path,
             *json ? "Content-Type: application/json\r\n" : "", strlen(json), json);
    return http_once(request);
}
static const char *create(const char *json)
{
    return ask("POST", "/containers/box/exec", json);
}

Test(execs, every_field_arrives)
{
    const char *response =
        create("{\"AttachStdin\":true,\"AttachStdout\":true,\"AttachStderr\":true,\"Tty\":true,\"Privileged\":true,"
               "\"DetachKeys\":\"ctrl-a,b\",\"User\":\"app:users\",\"WorkingDir\":\"/w\",\"Cmd\":[\"echo\",\"a b\"],"
               "\"Env\":[\"A=1\",\"B\"],\"ConsoleSize\":[24,80],\"Container\":\"box\",\"Detach\":true}");
    cr_assert_eq(http_status(response), 201, "%s", response);
    cr_assert(strstr(response, "{\"Id\":\"" DOUBLE_ID_HEX "\"}"), "%s", response);
    cr_assert_str_eq(engine.asked, "box");
    const Bulkhead__ExecRequest *exec = engine.exec;
    cr_assert(exec->attach_stdin && exec->attach_stdout && exec->attach_stderr && exec->tty && exec->privileged);
    cr_assert_str_eq(exec->detach_keys, "ctrl-a,b");
    cr_assert_str_eq(exec->user, "app:users");
    cr_assert_str_eq(exec->working_dir, "/w");
    cr_assert_eq(exec->n_args, 2);
    cr_assert_str_eq(exec->args[0], "echo");
    cr_assert_str_eq(exec->args[1], "a b");
    cr_assert_eq(exec->n_env, 2);
    cr_assert_str_eq(exec->env[1], "B");
    cr_assert_eq(exec->rows, 24);
    cr_assert_eq(exec->columns, 80);
}

Test(execs, what_is_left_out_is_off)
{
    cr_assert_eq(http_status(create("{\"Cmd\":[\"true\"],\"Env\":null,\"Frob\":null,\"ConsoleSize\":null}")), 201);
    const Bulkhead__ExecRequest *exec = engine.exec;
    cr_assert_not(exec->attach_stdin || exec->attach_stdout || exec->attach_stderr || exec->tty || exec->privileged);
    cr_assert_str_eq(exec->user, "");
    cr_assert_eq(exec->rows, 0);
}

Test(execs, wrong_ones_are_refused_by_name)
{
    static const struct {
        const char *json, *says;
    } wrong[] = {
        {"{}", "No exec command specified"},
        {"{\"Cmd\":[]}", "No exec command specified"},
        {"{\"Cmd\":[1]}", "Cmd"},
        {"{\"Cmd\":{\"a\":1}}", "Cmd"},
        {"{\"Cmd\":[\"a\"],\"Env\":[\"=b\"]}", "invalid environment variable: \\\"=b\\\""},
        {"{\"Cmd\":[\"a\"],\"Env\":[\"\"]}", "invalid environment variable"},
        {"{\"Cmd\":[\"a\"],\"Env\":\"A=1\"}", "Env"},
        {"{\"Cmd\":[\"a\"],\"Tty\":\"yes\"}", "Tty"},
        {"{\"Cmd\":[\"a\"],\"Privileged\":1}", "Privileged"},
        {"{\"Cmd\":[\"a\"],\"User\":7}", "User"},
        {"{\"Cmd\":[\"a\"],\"WorkingDir\":[]}", "WorkingDir"},
        {"{\"Cmd\":[\"a\"],\"ConsoleSize\":[1]}", "ConsoleSize"},
        {"{\"Cmd\":[\"a\"],\"ConsoleSize\":[-1,80]}", "ConsoleSize"},
        {"{\"Cmd\":[\"a\"],\"DetachKeys\":\"ctrl-!\"}", "ctrl-!"},
        {"{\"Cmd\":[\"a\"],\"Frob\":1}", "Frob is not a field of an exec"},
        {"[]", "object"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *response = create(wrong[i].json);
        cr_expect_eq(http_status(response), 400, "%s answered %s", wrong[i].json, response);
        cr_expect(strstr(response, wrong[i].says), "%s answered %s", wrong[i].json, response);
    }
    cr_assert_eq(http_status(ask("POST", "/containers/b%20x/exec", "{\"Cmd\":[\"a\"]}")), 404);
    cr_assert_null(engine.exec, "nothing of this reached the engine");
}

Test(execs, they_are_told_as_docker_tells_them)
{
    (void)create(
        "{\"AttachStdin\":true,\"AttachStderr\":true,\"Tty\":true,\"Privileged\":true,\"DetachKeys\":\"a,b,c,d\","
        "\"Cmd\":[\"echo\",\"x\",\"y\"]}");
    const char *response = ask("GET", "/exec/running/json", "");
    cr_assert_eq(http_status(response), 200, "%s", response);
    cr_assert(strstr(response, "{\"ID\":\"" DOUBLE_ID_HEX "\",\"Running\":true,\"ExitCode\":null,"), "%s", response);
    cr_assert(strstr(response, "\"ProcessConfig\":{\"tty\":true,\"entrypoint\":\"echo\",\"arguments\":[\"x\",\"y\"],"
                               "\"privileged\":true,\"user\":\"app\"}"),
              "%s", response);
    cr_assert(strstr(response, "\"OpenStdin\":true,\"OpenStderr\":true,\"OpenStdout\":false,"), "%s", response);
    cr_assert(strstr(response, "\"DetachKeys\":\"YWJjZA==\""), "the keys' bytes in base64: %s", response);
    cr_assert(strstr(response, "\"Pid\":4242"), "%s", response);

    response = ask("GET", "/exec/ended/json", "");
    cr_assert(strstr(response, "\"Running\":false,\"ExitCode\":7,"), "%s", response);
    cr_assert(strstr(response, "\"Pid\":0"), "%s", response);

    (void)create("{\"Cmd\":[\"true\"],\"DetachKeys\":\"ctrl-p,ctrl-q\"}");
    response = ask("GET", "/exec/created/json", "");
    cr_assert(strstr(response, "\"Running\":false,\"ExitCode\":null,"), "%s", response);
    cr_assert(strstr(response, "\"DetachKeys\":\"EBE=\""), "%s", response);
    (void)create("{\"Cmd\":[\"true\"],\"DetachKeys\":\"a,b,c\"}");
    cr_assert(strstr(ask("GET", "/exec/created/json", ""), "\"DetachKeys\":\"YWJj\""));
    (void)create("{\"Cmd\":[\"true\"]}");
    cr_assert(strstr(ask("GET", "/exec/created/json", ""), "\"DetachKeys\":\"\""));
    cr_assert_eq(http_status(ask("GET", "/exec/half/json", "")), 500, "half an answer is none");
}

Test(execs, absent)
{
    const char *response = ask("GET", "/exec/absent/json", "");
    cr_assert_eq(http_status(response), 404);
    cr_assert(strstr(response, "No such exec instance: absent"), "%s", response);
}

Test(execs, resize)
{
    cr_assert_eq(http_status(ask("POST", "/exec/running/resize?h=30&w=100", "")), 200);
    cr_assert_str_eq(engine.asked, "running 30 x 100");
    static const char *const wrong[] = {"?h=30", "?w=1", "", "?h=-1&w=2", "?h=65536&w=2", "?h=x&w=2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char path[64];
        snprintf(path, sizeof(path), "/exec/running/resize%s", wrong[i]);
        cr_expect_eq(http_status(ask("POST", path, "")), 400, "%s", wrong[i]);
    }
    cr_assert_eq(http_status(ask("POST", "/exec/running/resize?h=1&w=1", "{\"a\":1}")), 200,
                 "a body says nothing here");
    cr_assert_str_eq(engine.asked, "running 1 x 1");
}
