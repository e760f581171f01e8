/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths inside a hostile root; see target.h.
 */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"

static int open_inside(int root, const char *path, unsigned long long flags, unsigned long long resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
    int fd;
    do {
        fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
    } while (fd < 0 && errno == EAGAIN); /* somebody renamed on the way: the kernel asks to look again */
    return fd;
}

int target_find(int root, const char *path, int *ret_fd, struct bh_error *error)
{
    *ret_fd = open_inside(root, path, O_PATH, 0);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "find \"%s\" in the container", path) : 0;
}

/* Splits "/a/b/c" into "/a/b" and "c", in place. Returns the last component. */
static char *split(char *path)
{
    char *slash = strrchr(path, '/');
    *slash = '\0';
    return slash + 1;
}

/* Makes one entry in the folder `path` lies in, which exists. An entry that is there already is fine. */
static int make_entry(int root, const char *path, bool is_folder, struct bh_error *error)
{
    char parent[BH_PATH_BYTES_MAX + 1];
    (void)memccpy(parent, path, '\0', sizeof(parent));
    const char *name = split(parent);
    bh_autoclose int folder = open_inside(root, *parent ? parent : "/", O_PATH | O_DIRECTORY, 0);
    if (folder < 0) {
        return bh_error_errno(error, errno, "find \"%s\" in the container", parent);
    }
    if (is_folder) {
        return mkdirat(folder, name, 0755) < 0 && errno != EEXIST
                   ? bh_error_errno(error, errno, "make folder \"%s\" in the container", path)
                   : 0;
    }
    bh_autoclose int file = openat(folder, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0644);
    return file < 0 && errno != EEXIST ? bh_error_errno(error, errno, "make file \"%s\" in the container", path) : 0;
}

int target_open(int root, const char *path, bool is_folder, int *ret_fd, struct bh_error *error)
{
    char prefix[BH_PATH_BYTES_MAX + 1];
    bh_autoclose int fd = open_inside(root, path, O_PATH, 0);
    if (fd < 0 && errno == ENOENT) {
        (void)memccpy(prefix, path, '\0', sizeof(prefix));
        for (size_t length = strlen(prefix); length > 1 && prefix[length - 1] == '/'; length--) {
            prefix[length - 1] = '\0';
        }
        for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
            *slash = '\0';
            if (slash[-1] != '/' && make_entry(root, prefix, true, error) < 0) {
                return -1;
            }
            *slash = '/';
        }
        if (make_entry(root, prefix, is_folder, error) < 0) {
            return -1;
        }
        fd = open_inside(root, path, O_PATH, 0);
    }
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "find \"%s\" in the container", path);
    }
    if (S_ISDIR(status.st_mode) != is_folder) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "not a directory: \"%s\" is a %s in the container, but what is to be mounted there is a %s",
                            path, is_folder ? "file" : "folder", is_folder ? "folder" : "file");
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int target_folder(int root, const char *path, int *ret_fd, struct bh_error *error)
{
    *ret_fd = open_inside(root, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    if (*ret_fd < 0 && errno == ENOENT) {
        if (make_entry(root, path, true, error) < 0) {
            return -1;
        }
        *ret_fd = open_inside(root, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    }
    if (*ret_fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "\"%s\" of the image must be an ordinary folder, not a symbolic link or a file", path);
    }
    return *ret_fd < 0 ? bh_error_errno(error, errno, "find \"%s\" in the container", path) : 0;
}

int target_open_file(int root, const char *path, int *ret_fd, struct bh_error *error)
{
    struct stat status;
    bh_autoclose int fd = open_inside(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0 || fstat(fd, &status) < 0) {
        return bh_error_errno(error, errno, "open \"%s\" in the container", path);
    }
    if (!S_ISREG(status.st_mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%s\" in the container must be a regular file", path);
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}
