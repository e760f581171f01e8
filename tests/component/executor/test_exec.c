/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that join a running container: they are confined as its first one is, nobody inside can look at them on
 * their way, and they outlive the executor.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/exec_failure.h"
#include "common/io.h"
#include "stage.h"

TestSuite(exec, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];

/* A container that waits until its input ends, as run by `script`. */
static void start_host(struct container *container, const char *script)
{
    container_init(container, script);
    container->process.open_stdin = true;
    container->process.stdin_once = true;
    cr_assert_eq(container_start(container), 0, "%s", container->error.message);
}

static void finish(struct container *container)
{
    bh_close(&container->standard_input);
    cr_expect_eq(container_wait(container), 0);
    container_remove(container);
}

static int run_in(const struct container *container, const char *script)
{
    struct exec exec;
    exec_prepare(&exec, container, script);
    int code = exec_run(&exec, output, sizeof(output));
    cr_expect_geq(code, 0, "%s", exec.error.message);
    return code;
}

Test(exec, has_what_the_first_process_has)
{
    struct container container;
    start_host(&container, "cat");
    cr_expect_eq(run_in(&container,
                        "for f in status limits cgroup oom_score_adj uid_map attr/current; do"
                        " grep -E -v '^(Name|State|Tgid|Ngid|Pid|PPid|NStgid|NSpid|NSpgid|NSsid|Vm.*|Rss.*|Hugetlb.*|"
                        "FDSize|Threads|Sig.*|Shd.*|.*ctxt_switches|x86_Th.*|Cpus_.*|Mems_.*|Kthread|CoreDumping|"
                        "untag_mask|THP_enabled):' /proc/1/$f >/tmp/a 2>/dev/null;"
                        " grep -E -v '^(Name|State|Tgid|Ngid|Pid|PPid|NStgid|NSpid|NSpgid|NSsid|Vm.*|Rss.*|Hugetlb.*|"
                        "FDSize|Threads|Sig.*|Shd.*|.*ctxt_switches|x86_Th.*|Cpus_.*|Mems_.*|Kthread|CoreDumping|"
                        "untag_mask|THP_enabled):' /proc/self/$f >/tmp/b 2>/dev/null;"
                        " [ \"$(cat /tmp/a)\" = \"$(cat /tmp/b)\" ] || { echo $f; cat /tmp/a /tmp/b; }; done;"
                        " for n in user pid mnt ipc uts net cgroup; do"
                        " [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo ns $n; done"),
                 0);
    cr_expect_str_eq(output, "");
    cr_expect_eq(run_in(&container, "grep -e CapEff -e NoNewPrivs -e Seccomp: /proc/self/status"), 0);
    cr_expect_str_eq(output, "CapEff:\t00000000a80425fb\nNoNewPrivs:\t1\nSeccomp:\t2\n");
    finish(&container);
}

Test(exec, joins_a_container_with_an_init_too)
{
    struct container container;
    container_init(&container, "cat");
    container.spec.init = true;
    container.process.open_stdin = container.process.stdin_once = true;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_expect_eq(run_in(&container, "echo joined; readlink /proc/1/exe; ls /proc/1/fd; true"), 0);
    cr_expect_eq(strncmp(output, "joined\n", 7), 0, "%s", output);
    cr_expect_null(strstr(output, "bulkhead"), "%s", output);
    finish(&container);
}

Test(exec, limits_and_weaker_confinement_are_the_containers_too)
{
    struct container container;
    Bulkhead__ResourceLimit limit = BULKHEAD__RESOURCE_LIMIT__INIT, *limits[] = {&limit};
    container_init(&container, "cat");
    limit.name = "nofile";
    limit.soft = 777;
    limit.hard = 888;
    container.spec.limits = limits;
    container.spec.n_limits = 1;
    container.spec.no_new_privileges = false;
    container.spec.capabilities = 1; /* CHOWN */
    container.process.open_stdin = container.process.stdin_once = true;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_expect_eq(run_in(&container, "ulimit -n; ulimit -Hn; grep -e CapPrm -e CapBnd -e NoNewPrivs -e Seccomp: "
                                    "/proc/self/status"),
                 0);
    cr_expect_str_eq(output,
                     "777\n888\nCapPrm:\t0000000000000001\nCapBnd:\t0000000000000001\nNoNewPrivs:\t0\nSeccomp:\t2\n");
    finish(&container);
}

Test(exec, nothing_but_the_standard_streams_is_open)
{
    struct container container;
    start_host(&container, "cat");
    cr_expect_eq(run_in(&container, "for f in /proc/$$/fd/*; do [ -e $f ] && echo ${f##*/}; done; true"), 0);
    cr_expect_str_eq(output, "0\n1\n2\n");
    finish(&container);
}

/* Somebody inside looks at every newcomer as fast as he can. Processes of his own may be seen; the one that enters must
 * show neither its executable, nor its descriptors, nor mounts that are not the container's. */
Test(exec, nobody_inside_sees_it_on_its_way)
{
    struct container container;
    start_host(
        &container,
        "cat /proc/self/mountinfo >/tmp/own; echo ready >/tmp/ready;"
        "( while :; do for p in /proc/[0-9]*; do"
        " [ -d $p ] || continue; m=$(cat $p/mountinfo 2>/dev/null);"
        " [ -z \"$m\" ] || [ \"$m\" = \"$(cat /tmp/own)\" ] || echo \"mounts $m\" >>/tmp/seen;"
        " e=$(readlink $p/exe 2>/dev/null); case \"$e\" in ''|/bin/busybox) ;; *) echo \"exe $e\" >>/tmp/seen;; esac;"
        " for f in $p/fd/*; do l=$(readlink $f 2>/dev/null); case \"$l\" in"
        " ''|pipe:*|/dev/null|/proc/*|/tmp/*|/|/bin/busybox) ;; *) echo \"fd $l\" >>/tmp/seen;; esac; done;"
        " done; done ) & cat; kill $!");
    cr_expect_eq(run_in(&container, "until [ -e /tmp/ready ]; do sleep 0.01; done"), 0);
    for (int i = 0; i < 60; i++) {
        cr_expect_eq(run_in(&container, "true"), 0);
    }
    cr_expect_eq(run_in(&container, "cat /tmp/seen"), 1);
    cr_expect_null(strstr(output, "mounts "), "%s", output);
    cr_expect_null(strstr(output, "exe "), "%s", output);
    cr_expect_null(strstr(output, "fd "), "%s", output);
    bh_close(&container.standard_input);
    (void)container_wait(&container);
    container_remove(&container);
}

Test(exec, user_folder_and_environment_are_its_own)
{
    struct container container;
    struct exec exec;
    static char *env[] = {"PATH=/bin", "COLOUR=blue"};
    stage_file_layer(7, "etc/passwd", "root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\n", 0644);
    container_init(&container, "cat");
    container_add_layer(&container, 7);
    container.process.open_stdin = container.process.stdin_once = true;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    exec_prepare(&exec, &container, "id -u; id -g; pwd; echo $COLOUR $HOME; grep CapEff /proc/self/status");
    exec.process.user = "ann";
    exec.process.cwd = "/tmp";
    exec.process.env = env;
    exec.process.n_env = 2;
    cr_expect_eq(exec_run(&exec, output, sizeof(output)), 0, "%s", exec.error.message);
    cr_expect_str_eq(output, "1000\n1001\n/tmp\nblue /home/ann\nCapEff:\t0000000000000000\n");
    exec_prepare(&exec, &container, "true");
    exec.process.user = "nobody-here";
    cr_expect_eq(exec_start(&exec), -1);
    cr_expect_not_null(strstr(exec.error.message, "unable to find user nobody-here"), "%s", exec.error.message);
    finish(&container);
}

Test(exec, a_privileged_one_has_every_capability_of_the_namespace)
{
    struct container container;
    struct exec exec;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "grep CapEff /proc/self/status; chroot / true && echo may");
    exec.spec.privileged = true;
    cr_expect_eq(exec_run(&exec, output, sizeof(output)), 0, "%s", exec.error.message);
    cr_expect_str_eq(output, "CapEff:\t000001ffffffffff\nmay\n");
    finish(&container);
}

static void expect_failure(const struct container *container, const char *program, enum bh_code code, const char *text)
{
    struct exec exec;
    Bulkhead__ExecFound found;
    struct bh_error error;
    exec_prepare(&exec, container, "");
    exec.args[0] = (char *)(uintptr_t)program;
    exec.process.n_args = 1;
    cr_assert_eq(exec_start(&exec), -1, "%s was executed", program);
    cr_expect_eq(exec.error.code, code);
    cr_expect_str_eq(exec.error.message, text);
    cr_assert_eq(exec.error.n_context, 2);
    cr_expect_str_eq(exec.error.context[0], BH_EXEC_FAILED_INNER);
    cr_expect_str_eq(exec.error.context[1], BH_EXEC_FAILED_OUTER);
    cr_expect_eq(ask_exec(&exec, &found, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND);
}

Test(exec, a_program_that_cannot_be_executed_is_named)
{
    struct container container;
    struct exec exec;
    start_host(&container, "cat");
    expect_failure(&container, "nosuch", BH_NOT_FOUND, "exec: \"nosuch\": executable file not found in $PATH");
    expect_failure(&container, "/etc", BH_PERMISSION_DENIED, "exec: \"/etc\": is a directory: permission denied");
    expect_failure(&container, "/proc/self/exe", BH_PERMISSION_DENIED, "exec: \"/proc/self/exe\": permission denied");
    exec_prepare(&exec, &container, "true");
    exec.process.cwd = "/not/there";
    cr_expect_eq(exec_start(&exec), -1);
    cr_expect_str_eq(exec.error.message,
                     "chdir to cwd (\"/not/there\") set in config.json failed: no such file or directory");
    cr_expect_eq(run_in(&container, "[ ! -e /not ]"), 0, "a working directory was made");
    finish(&container);
}

Test(exec, streams_carry_everything_both_ways)
{
    struct container container;
    struct exec exec;
    static uint8_t sent[40000], came[40000];
    size_t n = 0;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "cat; echo end >&2; exit 5");
    cr_assert_eq(exec_start(&exec), 0, "%s", exec.error.message);
    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = (uint8_t)(i * 7 + i / 251);
    }
    cr_assert_eq(write(exec.standard_input, sent, sizeof(sent)), (ssize_t)sizeof(sent));
    bh_close(&exec.standard_input);
    cr_assert_eq(bh_read_full(exec.output, came, sizeof(came), &n, "output", NULL), 0);
    cr_expect(n == sizeof(sent) && memcmp(sent, came, n) == 0);
    cr_expect(read(exec.errors, came, sizeof(came)) == 4 && memcmp(came, "end\n", 4) == 0);
    cr_expect_eq(exec_wait(&exec), 5);
    exec_forget(&exec);
    finish(&container);
}

Test(exec, without_input_it_reads_the_null_device_even_if_that_is_gone)
{
    struct container container;
    struct exec exec;
    start_host(&container, "cat");
    exec_prepare(&exec, &container,
                 "readlink /proc/self/fd/0; cat; rm -f /dev/null 2>/dev/null || umount /dev/null;"
                 " ln -s /bin/busybox /dev/null");
    exec.process.open_stdin = false;
    exec.args[2] = "readlink /proc/self/fd/0; cat";
    cr_expect_eq(exec_run(&exec, output, sizeof(output)), 0, "%s", exec.error.message);
    cr_expect_str_eq(output, "/dev/null\n");
    cr_expect_eq(run_in(&container, "busybox rm /dev/null && busybox ln -s /bin/busybox /dev/null"), 0);
    exec_prepare(&exec, &container, "readlink /proc/self/fd/0 | sed 's/:.*//'; cat");
    exec.process.open_stdin = false;
    cr_expect_eq(exec_run(&exec, output, sizeof(output)), 0, "%s", exec.error.message);
    cr_expect_str_eq(output, "pipe\n");
    finish(&container);
}

Test(exec, a_terminal_is_the_containers_own)
{
    struct container container;
    struct exec exec;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "tty; busybox stty size; [ -t 0 ] && [ -t 2 ] && echo terminal");
    exec.process.tty = true;
    exec.process.tty_rows = 33;
    exec.process.tty_columns = 111;
    cr_assert_eq(exec_start(&exec), 0, "%s", exec.error.message);
    ssize_t n;
    size_t used = 0;
    while ((n = read(exec.output, output + used, sizeof(output) - used - 1)) > 0) {
        used += (size_t)n;
    }
    output[used] = '\0';
    cr_expect_str_eq(output, "/dev/pts/0\r\n33 111\r\nterminal\r\n");
    cr_expect_eq(exec_wait(&exec), 0);
    exec_forget(&exec);
    /* Whatever the container puts in its place is not taken for one. */
    cr_expect_eq(run_in(&container, "busybox rm /dev/ptmx; busybox rm /dev/pts/ptmx 2>/dev/null; true"), 0);
    finish(&container);
}

Test(exec, ends_with_its_container)
{
    struct container container;
    struct exec exec, late;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "sleep 1000");
    cr_assert_eq(exec_start(&exec), 0, "%s", exec.error.message);
    bh_close(&container.standard_input);
    cr_expect_eq(container_wait(&container), 0);
    cr_expect_eq(exec_wait(&exec), 128 + SIGKILL);
    exec_prepare(&late, &container, "true");
    cr_expect_eq(exec_start(&late), -1);
    cr_expect_eq(late.error.code, BH_FAILED_PRECONDITION, "%s", late.error.message);
    exec_forget(&exec);
    container_remove(&container);
}

Test(exec, outlives_the_executor_and_says_how_it_ended)
{
    struct container container;
    struct exec exec;
    Bulkhead__ExecFound found;
    struct bh_error error;
    int monitor = -1;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "cat; exit 9");
    cr_assert_eq(exec_start(&exec), 0, "%s", exec.error.message);
    stage_restart();
    cr_assert_eq(ask_exec(&exec, &found, &error), 0, "%s", error.message);
    cr_expect(found.running && found.pid == exec.pid && !found.has_exit);
    cr_expect_eq(ask_exec_remove(&exec, &error), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION);
    cr_assert_eq(ask_exec_monitor(&exec, &monitor, &error), 0, "%s", error.message);
    bh_close(&exec.standard_input);
    cr_expect_eq(exec_wait_on(monitor), 9);
    cr_assert_eq(ask_exec(&exec, &found, &error), 0, "%s", error.message);
    cr_expect(!found.running && found.has_exit && found.exit_code == 9 && found.finished_at_ns > 0);
    exec_forget(&exec);
    cr_expect_eq(ask_exec_remove(&exec, &error), 0, "%s", error.message);
    finish(&container);
}

Test(exec, is_signalled_by_itself)
{
    struct container container;
    struct exec exec;
    struct bh_error error;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "sleep 1000");
    cr_assert_eq(exec_start(&exec), 0, "%s", exec.error.message);
    cr_expect_eq(ask_exec_signal(&exec, SIGKILL, &error), 0, "%s", error.message);
    cr_expect_eq(exec_wait(&exec), 128 + SIGKILL);
    exec_forget(&exec);
    finish(&container);
}

Test(exec, names_no_container_of_another_tenant)
{
    struct container container;
    struct exec exec;
    start_host(&container, "cat");
    exec_prepare(&exec, &container, "true");
    exec.owner.tenant_uid = container.spec.tenant_uid + 1;
    cr_expect_eq(exec_start(&exec), -1);
    cr_expect_eq(exec.error.code, BH_PERMISSION_DENIED, "%s", exec.error.message);
    exec_prepare(&exec, &container, "true");
    exec.owner.id.len = 31;
    cr_expect_eq(exec_start(&exec), -1);
    cr_expect_eq(exec.error.code, BH_INVALID_ARGUMENT, "%s", exec.error.message);
    exec_prepare(&exec, &container, "true");
    cr_assert_eq(exec_start(&exec), 0, "%s", exec.error.message);
    cr_expect_eq(exec_wait(&exec), 0);
    exec_forget(&exec);
    struct exec again = exec;
    again.error = (struct bh_error){0};
    cr_expect_eq(exec_start(&again), -1);
    cr_expect_eq(again.error.code, BH_ALREADY_EXISTS, "%s", again.error.message);
    finish(&container);
}
