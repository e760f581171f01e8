/* SPDX-License-Identifier: Apache-2.0
 *
 * The process that an exec runs, made of the container's and of what was asked for.
 */
#ifdef __clang__ /* messages in tests point at literals */
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/exec_process.h"

static char *first_env[] = {"PATH=/bin", "COLOUR=red", "TERM=xterm"}, *args[] = {"sh", "-c", "true"};

static void prepare(Bulkhead__ContainerSpec *spec, Bulkhead__Process *first, Bulkhead__ExecRequest *request)
{
    *spec = (Bulkhead__ContainerSpec)BULKHEAD__CONTAINER_SPEC__INIT;
    *first = (Bulkhead__Process)BULKHEAD__PROCESS__INIT;
    *request = (Bulkhead__ExecRequest)BULKHEAD__EXEC_REQUEST__INIT;
    first->env = first_env;
    first->n_env = 3;
    first->tty = true;
    first->user = "app:web";
    first->cwd = "/srv";
    spec->process = first;
    request->args = args;
    request->n_args = 3;
}

static Bulkhead__Process *make(const Bulkhead__ExecRequest *request, const Bulkhead__ContainerSpec *spec, bool attached)
{
    Bulkhead__Process *process = NULL;
    struct bh_error error;
    cr_assert_eq(exec_process_make(request, spec, attached, &process, &error), 0);
    return process;
}

Test(exec_process, what_was_not_asked_for_is_the_containers)
{
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process first, *process;
    Bulkhead__ExecRequest request;
    prepare(&spec, &first, &request);
    process = make(&request, &spec, false);
    cr_expect(process->n_args == 3 && strcmp(process->args[2], "true") == 0);
    cr_expect_str_eq(process->user, "app:web");
    cr_expect_str_eq(process->cwd, "/srv");
    cr_expect(process->n_env == 2 && strcmp(process->env[1], "COLOUR=red") == 0, "the container's TERM is its own");
    cr_expect(!process->tty && !process->open_stdin);
    bulkhead__process__free_unpacked(process, NULL);
}

Test(exec_process, its_own_environment_replaces_adds_and_removes)
{
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process first, *process;
    Bulkhead__ExecRequest request;
    char *env[] = {"COLOUR=blue", "SIZE=9", "PATH", "TERM=vt100"};
    prepare(&spec, &first, &request);
    request.env = env;
    request.n_env = 4;
    request.tty = true;
    request.user = "0";
    request.working_dir = "/tmp";
    request.rows = 3;
    request.columns = 4;
    process = make(&request, &spec, false);
    cr_assert_eq(process->n_env, 3);
    cr_expect_str_eq(process->env[0], "COLOUR=blue");
    cr_expect_str_eq(process->env[1], "TERM=vt100");
    cr_expect_str_eq(process->env[2], "SIZE=9");
    cr_expect_str_eq(process->user, "0");
    cr_expect_str_eq(process->cwd, "/tmp");
    cr_expect(process->tty && process->tty_rows == 3 && process->tty_columns == 4);
    bulkhead__process__free_unpacked(process, NULL);
}

Test(exec_process, input_is_open_for_who_attaches_it)
{
    Bulkhead__ContainerSpec spec;
    Bulkhead__Process first, *process;
    Bulkhead__ExecRequest request;
    prepare(&spec, &first, &request);
    request.attach_stdin = true;
    process = make(&request, &spec, true);
    cr_expect(process->open_stdin && process->stdin_once);
    bulkhead__process__free_unpacked(process, NULL);
    process = make(&request, &spec, false);
    cr_expect_not(process->open_stdin, "nobody holds the other end");
    bulkhead__process__free_unpacked(process, NULL);
}
