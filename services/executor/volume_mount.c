/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes inside a container. The path to one is made of our own numbers; what lies in it was written by containers of
 * the same tenant, under the tenant's shifted ids, so that it is mounted as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "disk.h"
#include "project.h"
#include "volume_fill.h"
#include "volumes.h"

int volume_open_whole(const struct launch *launch, const struct operation *operation, int *ret_mount,
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
    if (volume_open_whole(launch, operation, &whole, error) < 0) {
        return bh_error_wrap(error, "volume \"%s\"", operation->name);
    }
    if (operation->held >= 0 && volume_fill(launch, operation, whole, error) < 0) {
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
