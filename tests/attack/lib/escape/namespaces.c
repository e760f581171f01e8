/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces made anew, which would bring capabilities that nobody gave, and those of others joined.
 */
#include "attempt.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang-format off */
static int user(void) { return result_of(unshare(CLONE_NEWUSER)); }
static int mount(void) { return result_of(unshare(CLONE_NEWNS)); }
static int network(void) { return result_of(unshare(CLONE_NEWNET)); }
static int pid(void) { return result_of(unshare(CLONE_NEWPID)); }
static int ipc(void) { return result_of(unshare(CLONE_NEWIPC)); }
static int uts(void) { return result_of(unshare(CLONE_NEWUTS)); }
static int cgroup(void) { return result_of(unshare(CLONE_NEWCGROUP)); }
static int time_(void) { return result_of(unshare(0x80 /* CLONE_NEWTIME */)); }
/* clang-format on */

static int reaped(long child)
{
    if (child < 0) {
        return errno;
    }
    if (child == 0) {
        _exit(0);
    }
    (void)waitpid((pid_t)child, NULL, 0);
    return 0;
}

static int user_by_clone(void)
{
    return reaped(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0));
}

static int user_by_clone3(void)
{
    struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    return reaped(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

/* Into a cgroup by its descriptor, past the files' modes. */
static int into_a_cgroup(void)
{
    int folder = open("/sys/fs/cgroup/unified", O_PATH | O_DIRECTORY | O_CLOEXEC);
    folder = folder < 0 ? open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC) : folder;
    if (folder < 0) {
        return errno;
    }
    struct clone_args arguments = {
        .flags = 0x200000000ULL /* CLONE_INTO_CGROUP */, .exit_signal = SIGCHLD, .cgroup = (unsigned int)folder};
    int result = reaped(syscall(SYS_clone3, &arguments, sizeof(arguments)));
    (void)close(folder);
    return result;
}

/* Joins a namespace of the process outside, or, as that pid means nothing in a container, of the first process that is
 * to be seen. */
static int join(const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%ld/ns/%s", outside_number("ESCAPE_PID"), name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)snprintf(path, sizeof(path), "/proc/1/ns/%s", name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0) {
        return errno;
    }
    int result = result_of(setns(fd, 0));
    (void)close(fd);
    return result;
}

/* clang-format off */
static int join_mount(void) { return join("mnt"); }
static int join_pid(void) { return join("pid"); }
static int join_network(void) { return join("net"); }
static int join_ipc(void) { return join("ipc"); }
static int join_uts(void) { return join("uts"); }
static int join_cgroup(void) { return join("cgroup"); }
/* clang-format on */

/* One's own user namespace, joined again, would bring the capabilities back that were dropped; the kernel refuses that
 * to everybody, so the namespace asked for is a child's. */
static int join_user(void)
{
    int ends[2];
    if (pipe(ends) < 0) {
        return errno;
    }
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
    if (child < 0) {
        return errno;
    }
    char byte;
    if (child == 0) {
        (void)close(ends[1]);
        (void)!read(ends[0], &byte, 1);
        _exit(0);
    }
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%ld/ns/user", child);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = fd < 0 ? errno : result_of(setns(fd, CLONE_NEWUSER));
    (void)close(ends[1]);
    (void)waitpid((pid_t)child, NULL, 0);
    return result;
}

/* Every namespace of a process at once, by its pidfd. */
static int join_by_pidfd(void)
{
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)outside_number("ESCAPE_PID"), 0U);
    if (fd < 0) {
        return errno;
    }
    int result = result_of(setns(fd, CLONE_NEWNS | CLONE_NEWNET));
    (void)close(fd);
    return result;
}

const struct attempt namespace_attempts[] = {
    {"namespace: user", user},
    {"namespace: mount", mount},
    {"namespace: network", network},
    {"namespace: pid", pid},
    {"namespace: ipc", ipc},
    {"namespace: uts", uts},
    {"namespace: cgroup", cgroup},
    {"namespace: time", time_},
    {"namespace: user, by clone", user_by_clone},
    {"namespace: user, by clone3", user_by_clone3},
    {"namespace: into a cgroup, by clone3", into_a_cgroup},
    {"namespace: join mount", join_mount},
    {"namespace: join pid", join_pid},
    {"namespace: join network", join_network},
    {"namespace: join ipc", join_ipc},
    {"namespace: join uts", join_uts},
    {"namespace: join cgroup", join_cgroup},
    {"namespace: join user", join_user},
    {"namespace: join by pidfd", join_by_pidfd},
    {NULL, NULL},
};
