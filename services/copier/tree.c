/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening; see tree.h.
 */
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"

#define LINKS_MAX 255 /* Docker's own bound */

#ifndef MQUEUE_MAGIC
#define MQUEUE_MAGIC 0x19800202
#endif

static int open_inside(int folder, const char *path, unsigned long long flags, unsigned long long resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
    int fd;
    do {
        fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
    } while (fd < 0 && errno == EAGAIN); /* somebody renamed on the way: the kernel asks to look again */
    return fd;
}

int tree_open(int root, const char *path, unsigned long long flags)
{
    return open_inside(root, path, flags, RESOLVE_IN_ROOT);
}

int tree_open_as_process(int folder, const char *path, unsigned long long flags)
{
    return open_inside(folder, path, flags, 0);
}

int tree_open_name(int folder, const char *name, unsigned long long flags)
{
    return open_inside(folder, name, flags | O_NOFOLLOW, RESOLVE_BENEATH);
}

int tree_open_file(int folder, const char *name, struct stat *ret_status)
{
    bh_autoclose int fd = tree_open_name(folder, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, ret_status) < 0) {
        return -1;
    }
    if (!S_ISREG(ret_status->st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return bh_steal_fd(&fd);
}

bool tree_is_kernels(int fd)
{
    static const unsigned long kernels[] = {PROC_SUPER_MAGIC,   SYSFS_MAGIC,  CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                            DEVPTS_SUPER_MAGIC, MQUEUE_MAGIC, SECURITYFS_MAGIC,   DEBUGFS_MAGIC,
                                            TRACEFS_MAGIC,      BPF_FS_MAGIC, PSTOREFS_MAGIC,     NSFS_MAGIC};
    struct statfs status;
    if (fstatfs(fd, &status) < 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
        if ((unsigned long)status.f_type == kernels[i]) {
            return true;
        }
    }
    return false;
}

/* ---- links ----------------------------------------------------------------------------------------------- */

/* A path being followed: `done` is what was resolved, `rest` what is still to come. */
struct following {
    char done[BH_PATH_BYTES_MAX + 1];
    char rest[2 * (BH_PATH_BYTES_MAX + 1)];
    unsigned links;
};

static void step_back(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash) {
        *slash = '\0';
    }
}

/* Puts a link's text before the rest. */
static int take_link(struct following *following, const char *link, struct bh_error *error)
{
    char rest[sizeof(following->rest)];
    int n = snprintf(rest, sizeof(rest), "%s/%s", link, following->rest);
    if (++following->links > LINKS_MAX || n < 0 || (size_t)n >= sizeof(rest)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "too many symbolic links");
    }
    if (link[0] == '/') {
        following->done[0] = '\0';
    }
    memcpy(following->rest, rest, (size_t)n + 1);
    return 0;
}

static int take_component(int root, struct following *following, const char *name, struct bh_error *error)
{
    char link[BH_PATH_BYTES_MAX + 1], next[2 * BH_PATH_BYTES_MAX];
    int n = snprintf(next, sizeof(next), "%s/%s", following->done, name);
    if (n < 0 || (size_t)n >= sizeof(following->done)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a symbolic link leads to a path of more than %d bytes",
                            BH_PATH_BYTES_MAX);
    }
    bh_autoclose int fd = open_inside(root, next, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT);
    ssize_t length = fd >= 0 ? readlinkat(fd, "", link, sizeof(link) - 1) : -1;
    if (length >= 0) {
        link[length] = '\0';
        return take_link(following, link, error);
    }
    memcpy(following->done, next, (size_t)n + 1); /* no link, or nothing at all */
    return 0;
}

int tree_follow(int root, const char *path, char *buffer, size_t buffer_bytes, struct bh_error *error)
{
    bh_autofree struct following *following = calloc(1, sizeof(*following));
    if (!following) {
        return bh_error_errno(error, ENOMEM, "follow a link");
    }
    (void)snprintf(following->rest, sizeof(following->rest), "%s", path);
    while (*following->rest) {
        char name[BH_PATH_BYTES_MAX + 1];
        const char *end = strchrnul(following->rest, '/');
        size_t n = (size_t)(end - following->rest);
        if (n >= sizeof(name)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "a symbolic link has a component that is too long");
        }
        memcpy(name, following->rest, n);
        name[n] = '\0';
        end += *end == '/';
        memmove(following->rest, end, strlen(end) + 1);
        if (strcmp(name, "..") == 0) {
            step_back(following->done);
        } else if (n > 0 && strcmp(name, ".") != 0 && take_component(root, following, name, error) < 0) {
            return -1;
        }
    }
    (void)snprintf(buffer, buffer_bytes, "%s", following->done[0] ? following->done : "/");
    return 0;
}
