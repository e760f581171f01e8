/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's root: an overlay of its layers and its own writable upper, made as a detached mount. Its files lie on
 * disk with the tenant's shifted ids, and the layers are shown with them, so that the overlay itself shifts nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "own_files.h"
#include "remove.h"

#define MERGED           "merged" /* where old kernels mount it, for a moment */
#define OPTION_BYTES_MAX 4095     /* mount(2) takes one page */

static int set_fd(int context, const char *key, int fd)
{
    if (fsconfig(context, FSCONFIG_SET_FD, key, NULL, fd) == 0) {
        return 0;
    }
    char path[32]; /* before Linux 6.13 */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fsconfig(context, FSCONFIG_SET_STRING, key, path, 0);
}

/* An image never says how the overlay works: what redirect and metacopy xattrs a layer might hold is not followed. */
static int set_options(int context, const struct launch *launch, bool has_upper)
{
    const char *label = launch->spec->selinux_mount_label;
    return fsconfig(context, FSCONFIG_SET_STRING, "redirect_dir", "nofollow", 0) < 0 ||
                   fsconfig(context, FSCONFIG_SET_STRING, "metacopy", "off", 0) < 0 ||
                   fsconfig(context, FSCONFIG_SET_STRING, "index", "off", 0) < 0 ||
                   (has_upper && launch->spec->ephemeral &&
                    fsconfig(context, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0) ||
                   (*label && fsconfig(context, FSCONFIG_SET_STRING, "context", label, 0) < 0)
               ? -1
               : 0;
}

/* What is stacked over the layers: a folder to write to (and its work folder), or one that is only read, or nothing
 * (-1).
 */
struct top {
    int upper, work, shown;
};

/* The kernel wants two layers where there is no upper one. */
static bool needs_empty(const struct launch *launch, const struct top *top)
{
    return launch->n_layers + (top->shown >= 0 ? 1 : 0) < (top->upper >= 0 ? 1 : 2);
}

/* Linux 6.5 and later. Returns -1 with errno. */
static int mount_by_layers(const struct launch *launch, const struct top *top, int *ret_mount)
{
    bh_autoclose int context = fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0) {
        return -1;
    }
    if (top->shown >= 0 && set_fd(context, "lowerdir+", top->shown) < 0) {
        return -1;
    }
    for (size_t i = launch->n_layers; i > 0; i--) { /* the topmost first */
        if (set_fd(context, "lowerdir+", launch->layers[i - 1]) < 0) {
            return -1;
        }
    }
    if ((needs_empty(launch, top) && set_fd(context, "lowerdir+", launch->executor->empty) < 0) ||
        (top->upper >= 0 &&
         (set_fd(context, "upperdir", top->upper) < 0 || set_fd(context, "workdir", top->work) < 0)) ||
        set_options(context, launch, top->upper >= 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return -1;
    }
    *ret_mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
    return *ret_mount < 0 ? -1 : 0;
}

/* Older kernels take one string: descriptors' own paths are the shortest names there are. Returns -1 with errno. */
static int mount_by_string(const struct launch *launch, const struct top *top, int *ret_mount)
{
    char options[OPTION_BYTES_MAX + 1], target[64];
    const char *label = launch->spec->selinux_mount_label; /* in quotes, since categories are parted by commas */
    int n = snprintf(options, sizeof(options), "%s%s%s%sredirect_dir=nofollow,metacopy=off,index=off,",
                     top->upper >= 0 && launch->spec->ephemeral ? "volatile," : "", *label ? "context=\"" : "", label,
                     *label ? "\"," : "");
    if (top->upper >= 0) {
        n += snprintf(options + n, sizeof(options) - (size_t)n, "upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,",
                      top->upper, top->work);
    }
    n += snprintf(options + n, sizeof(options) - (size_t)n, "lowerdir=");
    if (top->shown >= 0) {
        n += snprintf(options + n, sizeof(options) - (size_t)n, "/proc/self/fd/%d:", top->shown);
    }
    if (needs_empty(launch, top)) {
        n += snprintf(options + n, sizeof(options) - (size_t)n, "/proc/self/fd/%d%s", launch->executor->empty,
                      launch->n_layers > 0 ? ":" : "");
    }
    for (size_t i = launch->n_layers; i > 0; i--) {
        n += snprintf(options + n, sizeof(options) - (size_t)n, "/proc/self/fd/%d%s", launch->layers[i - 1],
                      i > 1 ? ":" : "");
    }
    if (mkdirat(launch->folder, MERGED, 0700) < 0 && errno != EEXIST) {
        return -1;
    }
    (void)snprintf(target, sizeof(target), "/proc/self/fd/%d/" MERGED, launch->folder);
    if (mount("overlay", target, "overlay", MS_NODEV, options) < 0) {
        return -1;
    }
    *ret_mount = open_tree(launch->folder, MERGED, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    int saved = errno;
    (void)umount2(target, MNT_DETACH);
    errno = saved;
    return *ret_mount < 0 ? -1 : 0;
}

/* The upper's root folder is the container's "/": its owner is the container's root. An overlay that is never synced
 * (the others sync the whole file system below when they end) leaves a mark in `work` that stops a second mount: it is
 * for a power cut, after which nothing of an ephemeral container is used again. */
static int make_upper(const struct launch *launch, int base, int *ret_upper, int *ret_work, struct bh_error *error)
{
    if (launch->spec->ephemeral && remove_tree(base, "work", error) < 0) {
        return -1;
    }
    if ((mkdirat(base, "upper", 0755) == 0 &&
         fchownat(base, "upper", launch->spec->id_base, launch->spec->id_base, AT_SYMLINK_NOFOLLOW) < 0) ||
        (mkdirat(base, "work", 0700) < 0 && errno != EEXIST)) {
        return bh_error_errno(error, errno, "make the container's upper folder");
    }
    *ret_upper = openat(base, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *ret_work = openat(base, "work", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_upper < 0 || *ret_work < 0 ? bh_error_errno(error, errno, "open the container's upper folder") : 0;
}

static int mount_stack(const struct launch *launch, const struct top *top, int *ret_mount, struct bh_error *error)
{
    return mount_by_layers(launch, top, ret_mount) < 0 &&
                   (errno != EINVAL || mount_by_string(launch, top, ret_mount) < 0)
               ? bh_error_errno(error, errno, "mount %zu layers", launch->n_layers)
               : 0;
}

int rootfs_mount_image(const struct launch *launch, int shown, int *ret_mount, struct bh_error *error)
{
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    const struct top top = {.upper = -1, .work = -1, .shown = shown};
    bh_autoclose int mount = -1;
    if (mount_stack(launch, &top, &mount, error) < 0) {
        return -1;
    }
    if (mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0) {
        return bh_error_errno(error, errno, "make the image's mount read-only");
    }
    *ret_mount = bh_steal_fd(&mount);
    return 0;
}

static int stack(const struct launch *launch, int base, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int upper = -1, work = -1;
    if (launch->show_only) {
        upper = openat(base, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return upper < 0 && errno != ENOENT ? bh_error_errno(error, errno, "open the container's upper folder")
                                            : rootfs_mount_image(launch, upper, &operation->fd, error);
    }
    if (make_upper(launch, base, &upper, &work, error) < 0) {
        return -1;
    }
    const struct top top = {.upper = upper, .work = work, .shown = -1};
    return mount_stack(launch, &top, &operation->fd, error);
}

int rootfs_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    struct own_files files;
    if (own_files_open(launch, &files, error) < 0) {
        return -1;
    }
    /* If they lie on a disk, the overlay keeps that mounted, and nothing else does. */
    int result = stack(launch, files.base, operation, error);
    own_files_close(launch, &files);
    return result;
}

int rootfs_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    /* On top of the old root, which stays below only until the next lines. */
    if (move_mount(operation->fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
        return bh_error_errno(error, errno, "attach the root");
    }
    if (fchdir(operation->fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0) {
        return bh_error_errno(error, errno, "pivot to the container's root");
    }
    /* The host's root lies over "." now; nothing of it is reachable once it is gone. */
    if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) {
        return bh_error_errno(error, errno, "leave the host's root");
    }
    launch->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return launch->root < 0 ? bh_error_errno(error, errno, "open the container's root") : 0;
}

int read_only_root_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)operation;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    return mount_setattr(launch->root, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "make the root read-only")
               : 0;
}
