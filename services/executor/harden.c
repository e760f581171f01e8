/* SPDX-License-Identifier: Apache-2.0
 *
 * What is set and covered inside a container once all is mounted: names, loopback, sysctls, masked and read-only paths.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "target.h"

int host_name_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)operation;
    const char *name = launch->spec->host_name, *domain = launch->spec->domain_name;
    if (sethostname(name, strlen(name)) < 0 || (*domain && setdomainname(domain, strlen(domain)) < 0)) {
        return bh_error_errno(error, errno, "set host name \"%s\"", name);
    }
    return 0;
}

int loopback_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)launch;
    (void)operation;
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    bh_autoclose int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? bh_error_errno(error, errno, "set lo up") : 0;
}

int sysctl_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    char path[sizeof("sys/") + 256] = "sys/";
    size_t length = strlen(operation->target);
    for (size_t i = 0; i <= length; i++) {
        path[sizeof("sys/") - 1 + i] = (char)(operation->target[i] == '.' ? '/' : operation->target[i]);
    }
    struct open_how how = {.flags = O_WRONLY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    bh_autoclose int fd = (int)syscall(SYS_openat2, launch->proc, path, &how, sizeof(how));
    size_t n = strlen(operation->source);
    return fd < 0 || write(fd, operation->source, n) != (ssize_t)n
               ? bh_error_errno(error, errno, "set sysctl \"%s\" to \"%s\"", operation->target, operation->source)
               : 0;
}

/* The null device of our own /dev, looked at again: whatever else it were would be shown where a secret was. */
static int open_null(const struct launch *launch, struct bh_error *error)
{
    struct stat status;
    bh_autoclose int fd = openat(launch->dev, "null", O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
        return bh_error_set(error, BH_INTERNAL, "/dev/null is not the null device");
    }
    int tree = open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    return tree < 0 ? bh_error_errno(error, errno, "clone /dev/null") : tree;
}

/* An empty folder that nobody can write to. */
static int open_empty(struct bh_error *error)
{
    bh_autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make an empty folder");
    }
    int fd =
        fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return fd < 0 ? bh_error_errno(error, errno, "mount an empty folder") : fd;
}

int mask_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int target = -1, cover = -1;
    struct stat status;
    if (target_find(launch->root, operation->target, &target, error) < 0) {
        return error->sys_errno == ENOENT || error->sys_errno == ENOTDIR ? 0 : -1; /* nothing there to hide */
    }
    if (fstat(target, &status) < 0) {
        return bh_error_errno(error, errno, "look at \"%s\"", operation->target);
    }
    cover = S_ISDIR(status.st_mode) ? open_empty(error) : open_null(launch, error);
    if (cover < 0) {
        return -1;
    }
    return move_mount(cover, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
               ? bh_error_errno(error, errno, "mask \"%s\"", operation->target)
               : 0;
}

int read_only_path_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int target = -1, tree = -1;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (target_find(launch->root, operation->target, &target, error) < 0) {
        return error->sys_errno == ENOENT || error->sys_errno == ENOTDIR ? 0 : -1;
    }
    tree = open_tree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)) < 0 ||
        move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
        return bh_error_errno(error, errno, "make \"%s\" read-only", operation->target);
    }
    return 0;
}
