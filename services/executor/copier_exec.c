/* SPDX-License-Identifier: Apache-2.0
 *
 * From a job to a copier; see copier_parts.h. It is executed as root, with the executor's rights, because only so it
 * can enter a container; our own program drops them before it reads anything. It gets the descriptors it is to have and
 * none else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "copier_parts.h"

#define HIGH_FD 64 /* above every number that a copier's descriptors get */

/* Leaves: null at 0 and 1, stderr, the copier's descriptors, and the program (close-on-exec) behind them. */
static int arrange(const struct copier_start *start, int *ret_program)
{
    const struct executor_monitors *shared = &start->launch.executor->monitors;
    const int wanted[BH_COPIER_FD_COUNT] = {
        [STDIN_FILENO] = shared->null,
        [STDOUT_FILENO] = shared->null,
        [STDERR_FILENO] = STDERR_FILENO,
        [BH_COPIER_FD_JOB] = start->job >= 0 ? start->job : shared->null,
        [BH_COPIER_FD_USER] = start->user,
        [BH_COPIER_FD_MOUNT] = start->mount,
        [BH_COPIER_FD_ROOT] = start->root >= 0 ? start->root : shared->null,
        [BH_COPIER_FD_UPPER] = start->upper >= 0 ? start->upper : shared->null,
        [BH_COPIER_FD_LOWER] = start->lower >= 0 ? start->lower : shared->null,
    };
    int high[BH_COPIER_FD_COUNT];
    for (int i = 0; i < BH_COPIER_FD_COUNT; i++) {
        high[i] = fcntl(wanted[i], F_DUPFD_CLOEXEC, HIGH_FD);
    }
    int program = fcntl(start->launch.executor->copier_program, F_DUPFD_CLOEXEC, HIGH_FD);
    for (int i = 0; i < BH_COPIER_FD_COUNT; i++) {
        if (dup2(high[i], i) < 0) {
            return -1;
        }
    }
    if (dup3(program, BH_COPIER_FD_COUNT, O_CLOEXEC) < 0 || close_range(BH_COPIER_FD_COUNT + 1, ~0U, 0) < 0) {
        return -1;
    }
    *ret_program = BH_COPIER_FD_COUNT;
    return 0;
}

/* Into the namespaces where nothing can be reached or heard; the container's own follow when it has started. */
static _Noreturn void become_copier(const struct copier_start *start)
{
    static const char *const views[] = BH_COPIER_VIEW_NAMES;
    static char name[] = "bulkhead-copier";
    const struct executor_monitors *shared = &start->launch.executor->monitors;
    char *const args[] = {name, (char *)(uintptr_t)views[start->view], (char *)(uintptr_t)start->path, NULL};
#ifdef BH_SANITIZE
    char *const *env = environ; /* what the sanitizers are told */
#else
    char *const env[] = {NULL};
#endif
    int program;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && setns(shared->net, CLONE_NEWNET) == 0 &&
        setns(shared->ipc, CLONE_NEWIPC) == 0 && setns(shared->uts, CLONE_NEWUTS) == 0 &&
        arrange(start, &program) == 0) {
        (void)execveat(program, "", args, env, AT_EMPTY_PATH);
    }
    _exit(127);
}

int copier_execute(const struct copier_start *start, int32_t *ret_pid, int *ret_pidfd, struct bh_error *error)
{
    pid_t pid = fork();
    if (pid == 0) {
        become_copier(start);
    }
    int pidfd = pid < 0 ? -1 : pidfd_open(pid, 0); /* ours to wait for: its number is nobody else's */
    if (pidfd < 0) {
        return bh_error_errno(error, errno, "start a copier");
    }
    *ret_pid = (int32_t)pid;
    *ret_pidfd = pidfd;
    return 0;
}

int copier_await(int32_t pid, int pidfd, int job, int deadline_ms)
{
    struct pollfd events[2] = {{.fd = pidfd, .events = POLLIN}, {.fd = job, .events = POLLRDHUP}};
    int status = 0;
    while (poll(events, 2, deadline_ms) < 0 && errno == EINTR) {
    }
    /* A copier that has ended does not notice; one that nobody waits for any more has nothing left to do. */
    (void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
    (void)waitpid(pid, &status, 0);
    return status;
}
