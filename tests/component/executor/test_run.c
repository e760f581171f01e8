/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs run, and those that cannot be run say why in the words clients look for.
 */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage.h"

TestSuite(run, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];

Test(run, output_and_exit_codes)
{
    cr_expect_eq(run("echo out; echo err >&2; exit 7", output, sizeof(output)), 7);
    cr_expect_str_eq(output, "out\nerr\n");
    cr_expect_eq(run("true", output, sizeof(output)), 0);
    cr_expect_eq(run("kill -9 $$; echo survived", output, sizeof(output)), 0, "the first process of a PID namespace");
    cr_expect_eq(run("sh -c 'kill -9 $$'; exit $?", output, sizeof(output)), 137);
}

Test(run, the_environment_is_the_specs)
{
    struct container container;
    container_init(&container, "env; pwd; hostname");
    char *env[] = {"PATH=/bin", "A=b c"};
    container.process.env = env;
    container.process.n_env = 2;
    container.process.cwd = "/made/for/it";
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect(strstr(output, "PATH=/bin\n") && strstr(output, "A=b c\n") && strstr(output, "HOME=/\n"), "%s", output);
    cr_expect(strstr(output, "\n/made/for/it\nstage\n"), "%s", output);
}

static void expect_refusal(char **args, size_t n_args, enum bh_code code, const char *words)
{
    struct container container;
    container_init(&container, "");
    for (size_t i = 0; i < n_args; i++) {
        container.args[i] = args[i];
    }
    container.process.n_args = n_args;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1, "%s ran", args[0]);
    cr_expect_eq(container.error.code, code, "%s: %s", args[0], container.error.message);
    cr_expect(strstr(container.error.message, words), "%s: %s", args[0], container.error.message);
}

Test(run, programs_that_cannot_be_executed)
{
    char *absent[] = {"nowhere"}, *absent_path[] = {"/nowhere"}, *folder[] = {"/etc"}, *plain[] = {"/plain"};
    stage_file_layer(2, "plain", "not executable", 0644);
    expect_refusal(absent, 1, BH_NOT_FOUND, "exec: \"nowhere\": executable file not found in $PATH");
    expect_refusal(absent_path, 1, BH_NOT_FOUND, "no such file or directory");
    expect_refusal(folder, 1, BH_PERMISSION_DENIED, "is a directory");
    struct container container;
    container_init(&container, "");
    container_add_layer(&container, 2);
    container.args[0] = plain[0];
    container.process.n_args = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_PERMISSION_DENIED);
    cr_expect(strstr(container.error.message, "permission denied"), "%s", container.error.message);
}

/* What CVE-2019-5736 did: the first program is whatever set the container up. */
Test(run, the_executors_own_program_is_none_of_the_containers)
{
    char *own[] = {"/proc/self/exe"}, *thread[] = {"/proc/thread-self/exe"};
    expect_refusal(own, 1, BH_PERMISSION_DENIED, "permission denied");
    expect_refusal(thread, 1, BH_PERMISSION_DENIED, "permission denied");
}

Test(run, only_standard_descriptors)
{
    cr_expect_eq(run("ls /proc/self/fd | wc -l", output, sizeof(output)), 0);
    cr_expect_str_eq(output, "4\n", "0, 1, 2, and ls' own");
}

/* What CVE-2024-21626 did: a working directory outside, through a descriptor that was left open. */
Test(run, working_directories_lie_inside)
{
    static char *const wrong[] = {"/proc/self/fd/3", "/proc/self/fd/7", "/proc/self/fd/8", "/proc/1/cwd",
                                  "/proc/self/root/.."};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct container container;
        container_init(&container, "cat /etc/machine-id; ls -ld /work");
        container.process.cwd = wrong[i];
        if (container_run(&container, output, sizeof(output)) == 0) {
            cr_expect_fail("%s led somewhere: %s", wrong[i], output);
        }
    }
}

Test(run, standard_input)
{
    struct container container;
    container_init(&container, "cat; echo end");
    container.process.open_stdin = true;
    container.process.stdin_once = true;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_assert_eq(write(container.standard_input, "hello\n", 6), 6);
    close(container.standard_input);
    container.standard_input = -1;
    ssize_t n, used = 0;
    while ((n = read(container.output, output + used, sizeof(output) - (size_t)used - 1)) > 0) {
        used += n;
    }
    output[used] = '\0';
    cr_expect_str_eq(output, "hello\nend\n");
    cr_expect_eq(container_wait(&container), 0);
    container_remove(&container);
}

Test(run, a_terminal)
{
    struct container container;
    container_init(&container, "tty; ls -l /dev/console | grep -c ^c; test -t 0 && test -t 1 && test -t 2 && echo all; "
                               "stat -c %u:%g /dev/pts/0; : > /dev/tty && echo controlling");
    container.process.tty = true;
    container.process.open_stdin = true;
    container.process.tty_rows = 24;
    container.process.tty_columns = 80;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "/dev/pts/0\r\n1\r\nall\r\n0:5\r\ncontrolling\r\n");
}

Test(run, init_collects_orphans_and_passes_signals_on)
{
    struct container container;
    container_init(&container,
                   "(sleep 0.1 &) ; test $$ -ne 1 && echo second; cat /proc/1/status | grep -e CapEff -e Seccomp: "
                   "-e NoNewPrivs; ls /proc/1/fd 2>&1; readlink /proc/1/exe; exit 5");
    container.spec.init = true;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 5, "%s", container.error.message);
    cr_expect(strstr(output, "second\n") && strstr(output, "CapEff:\t00000000a80425fb\n") &&
                  strstr(output, "Seccomp:\t2\n") && strstr(output, "NoNewPrivs:\t1\n"),
              "%s", output);
    cr_expect_null(strstr(output, "bulkhead"), "/proc/1/exe tells what it is: %s", output);
    container_init(&container, "trap 'exit 9' TERM; echo ready; while :; do sleep 0.01; done");
    container.spec.init = true;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_assert_eq(read(container.output, output, 6), 6);
    struct bh_error error;
    cr_assert_eq(ask_signal(&container, 15, &error), 0);
    cr_expect_eq(container_wait(&container), 9);
    container_remove(&container);
}

Test(run, no_layer_at_all)
{
    struct container container;
    char *args[] = {"/bin/true"};
    container_init(&container, "");
    container.spec.n_layers = 0;
    container.args[0] = args[0];
    container.process.n_args = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_NOT_FOUND, "%s", container.error.message);
}
