/* SPDX-License-Identifier: Apache-2.0
 *
 * To be somebody else: capabilities that nobody gave, ids outside of the container's range, maps written again.
 */
#include "attempt.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static int capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}};
    if (syscall(SYS_capget, &header, sets) < 0) {
        return errno;
    }
    sets[0].effective |= 1U << CAP_SYS_ADMIN;
    sets[0].permitted |= 1U << CAP_SYS_ADMIN;
    return result_of(syscall(SYS_capset, &header, sets));
}

/* An ambient capability is one that any program executed later gets. */
static int ambient(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2] = {{0}};
    if (syscall(SYS_capget, &header, sets) < 0) {
        return errno;
    }
    sets[0].inheritable |= 1U << CAP_SYS_ADMIN;
    return syscall(SYS_capset, &header, sets) < 0
               ? errno
               : result_of(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
}

/* What the bounding set lacks, no program of root's or with file capabilities gets. */
static int bounding(void)
{
    return prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN) == 1 ? 0 : EPERM;
}

/* clang-format off */
static int user_beyond(void) { return result_of(setuid(65536)); }
static int user_highest(void) { return result_of(setuid(4294967294U)); }
static int group_beyond(void) { return result_of(setgid(65536)); }
static int groups_beyond(void) { gid_t group = 65536; return result_of(setgroups(1, &group)); }
static int trusted(void) { return result_of(setxattr("/tmp", "trusted.escape", "x", 1, 0)); }
/* clang-format on */

static int owner_beyond(void)
{
    const char *path = "/tmp/escape-owner";
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    int result = fd < 0 ? errno : result_of(fchown(fd, 65536, 65536));
    (void)close(fd);
    (void)unlink(path);
    return result;
}

/* The maps of a user namespace are written once. Root of the host has a new one made, to which this works. */
static int user_map(void)
{
    if (outside_number("ESCAPE_OUTSIDE") && syscall(SYS_unshare, CLONE_NEWUSER) < 0) {
        return errno;
    }
    int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int result = result_of(write(fd, "0 0 1\n", 6));
    (void)close(fd);
    return result;
}

/* Without setgroups, a group that a file's mode shuts out can be left. */
static int setgroups_file(void)
{
    if (outside_number("ESCAPE_OUTSIDE") && syscall(SYS_unshare, CLONE_NEWUSER) < 0) {
        return errno;
    }
    int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    int result = fd < 0 ? errno : result_of(write(fd, "deny", 4));
    (void)close(fd);
    return result;
}

/* The login id decides whom the host's audit log blames. */
static int login(void)
{
    int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int result = result_of(write(fd, "65536", 5));
    (void)close(fd);
    return result;
}

/* A score of -1000 has the kernel end others first. */
static int never_killed(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int result = result_of(write(fd, "-1000", 5));
    (void)close(fd);
    return result;
}

const struct attempt identity_attempts[] = {
    {"identity: CAP_SYS_ADMIN by capset", capabilities},
    {"identity: CAP_SYS_ADMIN, ambient", ambient},
    {"identity: CAP_SYS_ADMIN in the bounding set", bounding},
    {"identity: user 65536", user_beyond},
    {"identity: user 4294967294", user_highest},
    {"identity: group 65536", group_beyond},
    {"identity: supplementary group 65536", groups_beyond},
    {"identity: a file of user 65536", owner_beyond},
    {"identity: a trusted attribute", trusted},
    {"identity: the user map again", user_map},
    {"identity: setgroups again", setgroups_file},
    {"identity: the login id 65536", login},
    {"identity: an OOM score of -1000", never_killed},
    {NULL, NULL},
};
