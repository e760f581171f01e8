/* SPDX-License-Identifier: Apache-2.0
 *
 * The copier's two sandboxes, where they are entered: inside a user namespace, as its root. What a container's root may
 * do there is first shown to work, then to be refused to a copier.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/sandbox.h"

#define ID_BASE 0x6f100000U

extern const struct bh_sandbox copier_sandbox, copier_reader_sandbox;

/* ---- attempts: 0 if it worked, else errno ---------------------------------------------------------------- */

static int outcome(long result)
{
    return result < 0 ? errno : 0;
}

static int try_mount(void)
{
    return outcome(mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
}

static int try_unshare(void)
{
    return outcome(unshare(CLONE_NEWNET));
}

static int try_user_namespace(void)
{
    return outcome(unshare(CLONE_NEWUSER));
}

static int try_socket(void)
{
    bh_autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return outcome(fd);
}

static int try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    int failed = outcome(pid);
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0);
    }
    return failed;
}

static int try_execute(void)
{
    static char name[] = "sh", flag[] = "-c", script[] = "exit 0";
    char *const args[] = {name, flag, script, NULL}, *const env[] = {NULL};
    pid_t pid = vfork(); /* where not even that is left, execve() is not reached */
    if (pid == 0) {
        (void)execve("/bin/sh", args, env);
        _exit(1);
    }
    if (pid < 0) {
        return outcome(execve("/bin/sh", args, env)); /* itself, then: it would not come back */
    }
    int status = 0;
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : ENOEXEC;
}

static int try_signal(void)
{
    return outcome(kill(getpid(), 0));
}

static int try_trace(void)
{
    return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int try_chroot(void)
{
    return outcome(chroot("/tmp"));
}

static int try_other_ids(void)
{
    return outcome(setresuid(5, 5, 5));
}

static int try_host_name(void)
{
    return outcome(sethostname("x", 1));
}

static int try_more_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct all[2] = {{.effective = 1U << CAP_SYS_ADMIN, .permitted = 1U << CAP_SYS_ADMIN}, {0}};
    return outcome(syscall(SYS_capset, &header, all));
}

static const struct {
    const char *name;
    int (*try)(void);
} attempts[] = {
    {"mount", try_mount},
    {"make a network namespace", try_unshare},
    {"make a user namespace", try_user_namespace},
    {"make a socket", try_socket},
    {"fork", try_fork},
    {"execute a program", try_execute},
    {"send a signal", try_signal},
    {"ask to be traced", try_trace},
    {"change its root", try_chroot},
    {"become another user", try_other_ids},
    {"name the host", try_host_name},
    {"take capabilities", try_more_capabilities},
};
#define N_ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

/* ---- the stage ------------------------------------------------------------------------------------------- */

struct results {
    int entered;
    int outcomes[N_ATTEMPTS];
    char failure[512];
};

static void write_map(pid_t pid, const char *name)
{
    char path[64], text[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int n = snprintf(text, sizeof(text), "0 %u 65536\n", ID_BASE);
    bh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0 && write(fd, text, (size_t)n) == n);
}

static void inside(const struct bh_sandbox *sandbox, size_t index, int go, struct results *results)
{
    const struct bh_sandbox_context context = {.folders = NULL};
    struct bh_error error = {0};
    char byte;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS) < 0 || kill(getpid(), SIGSTOP) < 0 ||
        read(go, &byte, 1) != 1 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
        _exit(2);
    }
    if (sandbox && bh_sandbox_enter(sandbox, &context, &error) < 0) {
        (void)bh_error_format(&error, results->failure, sizeof(results->failure));
        _exit(2);
    }
    results->entered = 1;
    results->outcomes[index] = attempts[index].try();
    _exit(0);
}

static void attempt_all(const struct bh_sandbox *sandbox, struct results *results)
{
    for (size_t i = 0; i < N_ATTEMPTS; i++) {
        int go[2], status;
        results->outcomes[i] = -1;
        cr_assert_eq(pipe2(go, O_CLOEXEC), 0);
        pid_t pid = fork();
        if (pid == 0) {
            inside(sandbox, i, go[0], results);
        }
        cr_assert(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status), "namespaces cannot be made");
        write_map(pid, "uid_map");
        write_map(pid, "gid_map");
        cr_assert(kill(pid, SIGCONT) == 0 && write(go[1], "", 1) == 1);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        (void)close(go[0]);
        (void)close(go[1]);
    }
}

static struct results *shared_results(void)
{
    struct results *results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(results, MAP_FAILED);
    return results;
}

Test(copier, a_containers_root_could_do_all_of_it, .timeout = 60)
{
    struct results *results = shared_results();
    attempt_all(NULL, results);
    for (size_t i = 0; i < N_ATTEMPTS; i++) {
        cr_expect_eq(results->outcomes[i], 0, "%s: errno %d, so its refusal would prove nothing", attempts[i].name,
                     results->outcomes[i]);
    }
}

static void expect_nothing_works(const struct bh_sandbox *sandbox, const char *what)
{
    struct results *results = shared_results();
    attempt_all(sandbox, results);
    cr_assert_eq(results->entered, 1, "%s: %s", what, results->failure);
    for (size_t i = 0; i < N_ATTEMPTS; i++) {
        cr_expect_gt(results->outcomes[i], 0, "a %s can %s (result %d)", what, attempts[i].name, results->outcomes[i]);
    }
}

Test(copier, one_that_writes_can_do_none_of_it, .timeout = 60)
{
    expect_nothing_works(&copier_sandbox, "writing copier");
}

Test(copier, one_that_reads_can_do_none_of_it, .timeout = 60)
{
    expect_nothing_works(&copier_reader_sandbox, "reading copier");
    cr_expect_eq(copier_reader_sandbox.capabilities, 1ULL << CAP_DAC_READ_SEARCH);
}
