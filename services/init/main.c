/* SPDX-License-Identifier: Apache-2.0
 *
 * bulkhead-init: the first process of a container with --init. Executed by the executor (reaper.c) where the program
 * itself would be, with that one's rights and environment: argv[1] is the program's path, argv[2] and on its arguments.
 * Passes signals on, collects what is orphaned, and ends as its program did. It is a program of its own so that nothing
 * of the executor's memory stays in the container, and so that others can still join it: the kernel lets nobody near a
 * process that is not dumpable and comes from outside.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

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

/* A process group of its own, in the terminal's foreground if there is one. */
static _Noreturn void become(char **argv, char *const *env)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)setpgid(0, 0);
    (void)tcsetpgrp(STDIN_FILENO, getpid());
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL); /* the executor's is ignored, and what is ignored stays so across an execve() */
    (void)execve(argv[1], argv + 2, env);
    int failed = errno;
    (void)dprintf(STDERR_FILENO, "exec %s: %s\n", argv[1], strerror(failed));
    _exit(failed == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

int main(int argc, char **argv, char **env)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)prctl(PR_SET_NAME, "init", 0, 0, 0); /* else a number: it was executed by descriptor */
    /* Nobody inside looks at it through /proc/1. */
    if (argc < 3 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || sigprocmask(SIG_SETMASK, &all, NULL) < 0) {
        return EXIT_NOT_EXECUTABLE;
    }
    pid_t pid = fork();
    if (pid < 0) {
        (void)dprintf(STDERR_FILENO, "fork the container's program: %s\n", strerror(errno));
        return EXIT_NOT_EXECUTABLE;
    }
    if (pid == 0) {
        become(argv, env);
    }
    (void)syscall(SYS_close_range, 0, ~0U, 0);
    watch(pid, &all);
}
