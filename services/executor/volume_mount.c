/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes inside a container. The path to one is made of our own numbers; what lies in it was written by containers of
 * the same tenant, under the tenant's shifted ids, so that it is mounted as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "copier.h"
#include "disk.h"
#include "project.h"
#include "volumes.h"

#define FILLED_MARK "filled"

/* The whole volume as a detached mount. */
static int open_whole(const struct launch *launch, const struct operation *operation, int *ret_mount,
                      struct bh_error *error)
{
    bh_autoclose int folder = -1, data = -1;
    if (operation->held >= 0) { /* a tmpfs that others may use too */
        *ret_mount = open_tree(operation->held, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        return *ret_mount < 0 ? bh_error_errno(error, errno, "show a tmpfs") : 0;
    }
    if (volume_open(launch->executor, launch->spec->tenant_uid, operation->volume, &folder, error) < 0) {
        return -1;
    }
    data = openat(folder, VOLUME_DATA, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (data < 0) {
        return errno != ENOENT ? bh_error_errno(error, errno, "open a volume's data")
                               : disk_mount(folder, ret_mount, error);
    }
    if (project_check(data, error) < 0) {
        return -1;
    }
    *ret_mount = open_tree(data, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return *ret_mount < 0 ? bh_error_errno(error, errno, "show a volume's data") : 0;
}

/* Whether nothing was ever put into the folder a mount shows: its times are still those of its birth. */
static bool is_untouched(int mount)
{
    struct statx status;
    return statx(mount, "", AT_EMPTY_PATH, STATX_MTIME | STATX_BTIME, &status) == 0 &&
           (status.stx_mask & STATX_BTIME) && status.stx_mtime.tv_sec == status.stx_btime.tv_sec &&
           status.stx_mtime.tv_nsec == status.stx_btime.tv_nsec;
}

/* The first container to use a volume fills it with what its image has there. The copier looks whether it is empty;
 * a mark beside the volume spares that look from then on, and a lock keeps two containers from filling it at once. */
static int fill(const struct launch *launch, const struct operation *operation, int whole, struct bh_error *error)
{
    bh_autoclose int folder = -1;
    if (operation->no_copy || *operation->source) {
        return 0;
    }
    if (volume_open(launch->executor, launch->spec->tenant_uid, operation->volume, &folder, error) < 0) {
        return -1;
    }
    if (flock(folder, LOCK_EX) < 0) {
        return bh_error_errno(error, errno, "lock a volume");
    }
    const bool is_tmpfs = operation->held >= 0; /* empty again each time it is made */
    if (is_tmpfs ? !is_untouched(whole) : faccessat(folder, FILLED_MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return 0;
    }
    if (copier_fill(launch, operation->target, whole, error) < 0) {
        return -1;
    }
    if (!is_tmpfs && !is_untouched(whole)) {
        bh_autoclose int mark = openat(folder, FILLED_MARK, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        return mark < 0 ? bh_error_errno(error, errno, "mark a volume as filled") : 0;
    }
    return 0;
}

/* A folder in the volume. The volume's own files lead there, links and all: the kernel keeps the walk inside. */
static int open_below(const struct operation *operation, int whole, int *ret_mount, struct bh_error *error)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    bh_autoclose int folder = (int)syscall(SYS_openat2, whole, operation->source, &how, sizeof(how));
    if (folder < 0) {
        return bh_error_errno(error, errno, "find \"%s\" in the volume", operation->source);
    }
    *ret_mount = open_tree(folder, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return *ret_mount < 0 ? bh_error_errno(error, errno, "show \"%s\" of the volume", operation->source) : 0;
}

int volume_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int whole = -1, mount = -1;
    struct mount_attr attributes = {.attr_set = operation->attributes, .propagation = MS_PRIVATE};
    if (open_whole(launch, operation, &whole, error) < 0) {
        return bh_error_wrap(error, "volume \"%s\"", operation->name);
    }
    if (fill(launch, operation, whole, error) < 0) {
        return bh_error_wrap(error, "volume \"%s\"", operation->name);
    }
    if (!*operation->source) {
        mount = bh_steal_fd(&whole);
    } else if (open_below(operation, whole, &mount, error) < 0) {
        return bh_error_wrap(error, "volume \"%s\"", operation->name);
    }
    if (mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0) {
        return bh_error_errno(error, errno, "restrict volume \"%s\"", operation->name);
    }
    operation->fd = bh_steal_fd(&mount);
    return 0;
}
