/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's init; see reaper.h.
 */
#include "reaper.h"

#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"

static _Noreturn void watch(pid_t program, const sigset_t *all)
{
    for (;;) {
        int number = sigwaitinfo(all, NULL);
        if (number > 0 && number != SIGCHLD) {
            (void)kill(program, number);
            continue;
        }
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid == program) {
                _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
            }
        }
        if (pid < 0 && errno == ECHILD) {
            _exit(255);
        }
    }
}

int reaper_run(const char *path, char *const *args, char *const *env, int failure, struct bh_error *error)
{
    sigset_t all, none;
    (void)failure;
    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    /* The kernel keeps it non-dumpable, so that nobody inside reads it through /proc/1. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0) {
        return bh_error_errno(error, errno, "prepare the container's init");
    }
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "fork the container's program");
    }
    if (pid > 0) {
        (void)close_range(0, ~0U, 0);
        watch(pid, &all);
    }
    /* A process group of its own, in the terminal's foreground if there is one. */
    (void)setpgid(0, 0);
    (void)tcsetpgrp(STDIN_FILENO, getpid());
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    return program_execute(path, args, env, error);
}
