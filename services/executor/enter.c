/* SPDX-License-Identifier: Apache-2.0
 *
 * Entering a running container; see enter.h. Three processes: the caller stays outside; a go-between joins the
 * namespaces, but not yet the PID namespace, whose inhabitants therefore never see it; the child is cloned by it, as
 * the caller's own child, when there is nothing left on it to be seen.
 *
 * What a hostile container could try, and why it fails:
 *  - open the newcomer's /proc/PID/fd, exe, mem or cwd (CVE-2016-9962, CVE-2019-5736): its memory was copied from an
 *    executor that is not dumpable and belongs to the host's user namespace, so the kernel refuses every look at it
 *    until it executes the container's own program;
 *  - read the host's mounts from /proc/PID/mountinfo, which the kernel shows to everybody: it is born in the
 *    container's mount namespace;
 *  - get at a descriptor of the host (CVE-2024-21626): all but the named ones are closed before it is born, and its
 *    working directory is the container's root, by the kernel's own doing at setns(2);
 *  - have its first process move to other namespaces meanwhile: it can reach only descendants of its own.
 */
#include "enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "labels.h"
#include "pidfd.h"

#define HIGH_FD 64 /* above every number that the child's descriptors get */

/* What the go-between says, once. */
struct report {
    int32_t pid; /* of the child, as the caller sees it */
    struct bh_error error;
};

/* ---- the child ------------------------------------------------------------------------------------------- */

static int become_inner_root(struct bh_error *error)
{
    return setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0
               ? bh_error_errno(error, errno, "become the container's root")
               : 0;
}

static _Noreturn void child_main(const struct enter *enter, void (*inside)(void *argument), void *argument)
{
    struct bh_error ignored;
    if (close_range((unsigned int)enter->n_descriptors, ~0U, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        ((enter->namespaces & CLONE_NEWUSER) && become_inner_root(&ignored) < 0) ||
        /* After the change of ids, which takes the death signal away. */
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        _exit(1);
    }
    (void)umask(022);
    inside(argument);
    _exit(1);
}

/* ---- the go-between -------------------------------------------------------------------------------------- */

/* v1: one thread, so `tasks` takes the whole process; its child inherits it. On v2 it was cloned into the cgroup. */
static int enter_cgroups(const struct cgroup *cgroup, struct bh_error *error)
{
    for (size_t i = 0; cgroup && cgroup->all->version == 1 && i < cgroup->all->n; i++) {
        if (cgroup_write(cgroup->folders[i], "tasks", "0", error) < 0) {
            return bh_error_wrap(error, "enter cgroup \"%s\"", cgroup->all->hierarchies[i].controllers);
        }
    }
    return 0;
}

/* Leaves exactly: the child's descriptors from 0 up, the report and the container's pidfd behind them. */
static int arrange(const struct enter *enter, int report, int *ret_report, int *ret_pidfd, struct bh_error *error)
{
    int high[ENTER_DESCRIPTORS_MAX + 2];
    size_t n = enter->n_descriptors;
    for (size_t i = 0; i < n + 2; i++) {
        int fd = i < n ? enter->descriptors[i] : i == n ? report : enter->pidfd;
        high[i] = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
        if (high[i] < 0) {
            return bh_error_errno(error, errno, "arrange descriptors");
        }
    }
    for (size_t i = 0; i < n + 2; i++) {
        if (dup2(high[i], (int)i) < 0) {
            return bh_error_errno(error, errno, "arrange descriptors");
        }
    }
    *ret_report = (int)n;
    *ret_pidfd = (int)n + 1;
    return close_range((unsigned int)n + 2, ~0U, 0) < 0 ? bh_error_errno(error, errno, "close all other descriptors")
                                                        : 0;
}

static int join(const struct enter *enter, int *pidfd, struct bh_error *error)
{
    if (setns(*pidfd, (int)enter->namespaces) < 0) {
        return errno == ESRCH ? bh_error_set(error, BH_FAILED_PRECONDITION, "the container has ended")
                              : bh_error_errno(error, errno, "join the container's namespaces");
    }
    bh_close(pidfd); /* or the child would be born with it */
    return 0;
}

static _Noreturn void between_main(const struct enter *enter, int report_fd, void (*inside)(void *argument),
                                   void *argument)
{
    struct report report = {.pid = -1};
    struct bh_error *error = &report.error;
    struct clone_args arguments = {.flags = CLONE_PARENT};
    int pidfd = -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        (void)bh_error_errno(error, errno, "prepare to enter the container");
    } else if (enter_cgroups(enter->cgroup, error) == 0 &&
               labels_set(AT_FDCWD, enter->selinux_label, enter->apparmor_profile, error) == 0 &&
               arrange(enter, report_fd, &report_fd, &pidfd, error) == 0 && join(enter, &pidfd, error) == 0) {
        long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
        if (pid == 0) {
            child_main(enter, inside, argument);
        }
        report.pid = (int32_t)pid;
        if (pid < 0) {
            (void)bh_error_errno(error, errno, "fork inside the container");
        }
    }
    _exit(write(report_fd, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 1);
}

/* ---- the caller ------------------------------------------------------------------------------------------ */

static int await(const struct enter *enter, int report_fd, int32_t *ret_pid, struct bh_error *error)
{
    struct report report;
    struct pollfd said = {.fd = report_fd, .events = POLLIN};
    size_t n = 0;
    if (poll(&said, 1, ENTER_DEADLINE_MS) <= 0) {
        return bh_error_set(error, BH_DEADLINE_EXCEEDED, "the container cannot be entered: is it paused?");
    }
    if (bh_read_full(report_fd, &report, sizeof(report), &n, "the process that enters", error) < 0) {
        return -1;
    }
    if (n == sizeof(report) && report.error.code == BH_OK && report.pid > 0) {
        *ret_pid = report.pid;
        return 0;
    }
    if (pidfd_has_ended(enter->pidfd)) { /* a PID namespace without its first process takes nobody in */
        return bh_error_set(error, BH_FAILED_PRECONDITION, "the container has ended");
    }
    if (n != sizeof(report) || report.error.code == BH_OK) {
        return bh_error_set(error, BH_INTERNAL, "the process that enters the container died");
    }
    *error = report.error;
    return -1;
}

int enter_spawn(const struct enter *enter, void (*inside)(void *argument), void *argument, int32_t *ret_pid,
                int *ret_pidfd, struct bh_error *error)
{
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    int ends[2];
    int32_t child = -1;
    if (enter->n_descriptors > ENTER_DESCRIPTORS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu descriptors to enter with are more than %d",
                            enter->n_descriptors, ENTER_DESCRIPTORS_MAX);
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int report_read = ends[0], report_write = ends[1];
    if (enter->cgroup && enter->cgroup->all->version == 2) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (unsigned int)enter->cgroup->folders[0];
    }
    long between = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (between < 0) {
        return bh_error_errno(error, errno, "fork into the container's cgroup");
    }
    if (between == 0) {
        between_main(enter, report_write, inside, argument);
    }
    bh_close(&report_write);
    if (await(enter, report_read, &child, error) < 0) {
        (void)kill((pid_t)between, SIGKILL); /* not waited for: frozen, it dies later */
        return -1;
    }
    (void)waitpid((pid_t)between, NULL, 0);
    /* Ours to wait for, so that its number is nobody else's. */
    int pidfd = pidfd_open(child, 0);
    if (pidfd < 0) {
        (void)kill(child, SIGKILL);
        return bh_error_errno(error, errno, "open the process inside the container");
    }
    *ret_pid = child;
    *ret_pidfd = pidfd;
    return 0;
}
