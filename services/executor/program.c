/* SPDX-License-Identifier: Apache-2.0
 *
 * The program of a container; see program.h.
 */
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* 0: it is one; else an errno. Magic links (/proc/self/exe) are refused: they lead to files nobody gave a name to. */
static int look_at(const char *path, uint64_t device, uint64_t inode)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    bh_autoclose int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    struct stat status;
    if (fd < 0) {
        return errno == ELOOP ? EACCES : errno;
    }
    if (fstat(fd, &status) < 0) {
        return errno;
    }
    if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    }
    if (!S_ISREG(status.st_mode) || (status.st_dev == device && status.st_ino == inode)) {
        return EACCES;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int refuse(const char *name, int reason, bool with_slash, struct bh_error *error)
{
    switch (reason) {
    case ENOENT:
    case ENOTDIR:
        return with_slash ? bh_error_set(error, BH_NOT_FOUND, "exec: \"%s\": stat %s: %s", name, name,
                                         reason == ENOENT ? "no such file or directory" : "not a directory")
                          : bh_error_set(error, BH_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH", name);
    case EISDIR:
        return bh_error_set(error, BH_PERMISSION_DENIED, "exec: \"%s\": is a directory: permission denied", name);
    case EACCES:
    case EPERM:
        return bh_error_set(error, BH_PERMISSION_DENIED, "exec: \"%s\": permission denied", name);
    default:
        return bh_error_errno(error, reason, "exec: \"%s\"", name);
    }
}

static const char *path_of(char *const *env)
{
    for (; *env; env++) {
        if (strncmp(*env, "PATH=", 5) == 0) {
            return *env + 5;
        }
    }
    return PATH_DEFAULT;
}

int program_find(const char *name, char *const *env, uint64_t device, uint64_t inode, char **ret_path,
                 struct bh_error *error)
{
    int reason = ENOENT;
    if (strchr(name, '/')) {
        reason = look_at(name, device, inode);
        *ret_path = reason == 0 ? strdup(name) : NULL;
        return *ret_path ? 0 : refuse(name, reason ? reason : ENOMEM, true, error);
    }
    for (const char *folder = *name ? path_of(env) : NULL; folder;) {
        const char *colon = strchr(folder, ':');
        size_t length = colon ? (size_t)(colon - folder) : strlen(folder);
        char path[BH_PATH_BYTES_MAX + 1];
        int n = snprintf(path, sizeof(path), "%.*s/%s", (int)length, length ? folder : ".", name);
        int result = length == 0 || n < 0 || (size_t)n >= sizeof(path) ? ENOENT : look_at(path, device, inode);
        if (result == 0) {
            *ret_path = strdup(path);
            return *ret_path ? 0 : refuse(name, ENOMEM, false, error);
        }
        reason = result == EACCES ? EACCES : reason; /* remembered, but another folder may have one */
        folder = colon ? colon + 1 : NULL;
    }
    return refuse(name, reason, false, error);
}

int program_execute(const char *path, char *const *args, char *const *env, struct bh_error *error)
{
    (void)signal(SIGPIPE, SIG_DFL); /* ours is ignored, and what is ignored stays so across an execve() */
    (void)execve(path, args, env);
    switch (errno) {
    case ENOENT: /* the file is there; its interpreter is not */
        return bh_error_set(error, BH_NOT_FOUND, "exec %s: no such file or directory", path);
    case ENOEXEC:
        return bh_error_set(error, BH_PERMISSION_DENIED, "exec %s: exec format error", path);
    case EACCES:
    case EPERM:
        return bh_error_set(error, BH_PERMISSION_DENIED, "exec %s: permission denied", path);
    default:
        return bh_error_errno(error, errno, "exec %s", path);
    }
}
