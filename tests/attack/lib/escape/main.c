/* SPDX-License-Identifier: Apache-2.0
 *
 * Tries everything that the tables hold, each in a process of its own, and prints a line for each: its name, a tab, and
 * `succeeded` or why it was refused. With ESCAPE_OUTSIDE=1 it runs on the host, to show that without a container these
 * things are possible: each process then has mounts and a host name of its own, so that nothing stays. Linked
 * statically, so that the same file runs anywhere.
 */
#include "attempt.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct attempt *const tables[] = {device_attempts,  mount_attempts, namespace_attempts,
                                               process_attempts, call_attempts,  identity_attempts};
#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

static const char *const path_verbs[] = {
    [PATH_READ] = "file: read ", [PATH_WRITE] = "file: write ", [PATH_LIST] = "file: list "};

int fd_result(int fd)
{
    if (fd < 0) {
        return errno;
    }
    (void)close(fd);
    return 0;
}

const char *outside_text(const char *name)
{
    const char *text = getenv(name);
    if (!text) {
        (void)fprintf(stderr, "escape: %s must be set\n", name);
        exit(2);
    }
    return text;
}

long outside_number(const char *name)
{
    return strtol(outside_text(name), NULL, 10);
}

/* A folder to mount on and to write in, which is the attempt's alone. */
static int prepare(void)
{
    if (!outside_number("ESCAPE_OUTSIDE")) {
        return 0;
    }
    return unshare(CLONE_NEWNS | CLONE_NEWUTS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                   mount("none", "/tmp", "tmpfs", 0, NULL) < 0
               ? -1
               : 0;
}

static int try_one(const struct attempt *attempt, const struct path_attempt *path)
{
    (void)alarm(10);
    if (prepare() < 0) {
        perror("escape: prepare");
        return 255;
    }
    return attempt ? attempt->try() : path_try(path);
}

static void report(const char *verb, const char *name, const struct attempt *attempt, const struct path_attempt *path)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        _exit(try_one(attempt, path) & 0xff);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) {
        perror("escape");
        exit(2);
    }
    /* a filter may end the caller, which is refusal, too */
    const char *answer = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : strerror(WEXITSTATUS(status));
    (void)printf("%s%s\t%s\n", verb, name, WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "succeeded" : answer);
}

int main(void)
{
    for (size_t i = 0; i < N_TABLES; i++) {
        for (const struct attempt *attempt = tables[i]; attempt->name; attempt++) {
            report("", attempt->name, attempt, NULL);
        }
    }
    for (const struct path_attempt *path = path_attempts; path->path; path++) {
        report(path_verbs[path->how], path->path, NULL, path);
    }
    return 0;
}
