/* SPDX-License-Identifier: Apache-2.0
 *
 * The acting loop; see act.h. The comment at each row says why that operation is safe although the image, and whoever
 * shares a folder with the container, are hostile.
 */
#include "act.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "common/cleanup.h"
#include "target.h"

static const struct {
    const char *name;
    act_step prepare, create, attach;
} steps[OPERATION_COUNT] = {
    /* Sealed layers by descriptor, an upper in a folder only root reaches. Attached before anything can run inside. */
    [OPERATION_ROOT] = {"root", rootfs_prepare, NULL, rootfs_attach},
    /* Made in the container's own PID namespace, or the host's where it has none; the target must be a real folder, and
     * is checked to be procfs after. */
    [OPERATION_PROC] = {"proc", proc_prepare, proc_create, proc_attach},
    /* Of its own network namespace, read-only; target as for proc. */
    [OPERATION_SYSFS] = {"sysfs", sysfs_prepare, sysfs_create, act_attach_mount},
    /* Of its own cgroup namespace, read-only: shows its own cgroup as the root. */
    [OPERATION_CGROUPS] = {"cgroups", cgroups_prepare, cgroups_create, cgroups_attach},
    /* Of its own IPC namespace; lands in our own /dev. */
    [OPERATION_MQUEUE] = {"mqueue", NULL, mqueue_create, act_attach_mount},
    /* A tmpfs that nobody but us has written to; target as for proc. */
    [OPERATION_DEV] = {"dev", dev_prepare, NULL, act_attach_mount},
    /* A new instance, whose terminals are the container's alone; lands in our own /dev. */
    [OPERATION_DEVPTS] = {"devpts", devpts_prepare, NULL, act_attach_mount},
    /* A terminal of that instance, by descriptor, onto a file of our own /dev. */
    [OPERATION_CONSOLE] = {"console", NULL, NULL, console_attach},
    /* Empty, its size bounded; the target is resolved inside the root, magic links refused, never in procfs. */
    [OPERATION_TMPFS] = {"tmpfs", tmpfs_prepare, NULL, act_attach_mount},
    /* Written by us into a folder only root reaches; target as for tmpfs. */
    [OPERATION_FILE] = {"file", file_prepare, NULL, act_attach_mount},
    /* Opened once with the tenant's own rights, its owner read from that descriptor, ids shifted; target as for tmpfs.
     */
    [OPERATION_BIND] = {"bind", bind_prepare, NULL, act_attach_mount},
    /* A path below /dev that policy allowed, resolved there and nowhere else; what is handed in is a node of our own.
     * In our own /dev, or as a mount whose target is resolved as for tmpfs. */
    [OPERATION_DEVICE] = {"device", device_prepare, NULL, device_attach},
    /* Of a container of the same tenant, opened inside its mount namespace; lands in our own /dev. */
    [OPERATION_SHARED_SHM] = {"shared memory", shared_shm_prepare, NULL, act_attach_mount},
    /* As a bind of that one path, for whom policy allows the host's IPC namespace; lands in our own /dev. */
    [OPERATION_HOST_SHM] = {"the host's shared memory", host_shm_prepare, NULL, act_attach_mount},
    /* By our own numbers, in a folder only root reaches, of that tenant alone; target as for tmpfs. */
    [OPERATION_VOLUME] = {"volume", volume_prepare, NULL, act_attach_mount},
    /* Checked text, own UTS namespace. */
    [OPERATION_HOST_NAME] = {"host name", NULL, NULL, host_name_attach},
    /* Own network namespace. */
    [OPERATION_LOOPBACK] = {"loopback", NULL, NULL, loopback_attach},
    /* Made by others meanwhile; one byte from them is all that is read. */
    [OPERATION_LINKS] = {"links", NULL, NULL, links_attach},
    /* Names from a list, below the descriptor of the procfs we made, without links. */
    [OPERATION_SYSCTL] = {"sysctl", NULL, NULL, sysctl_attach},
    /* Covered by a null device checked to be one, or by an empty folder. */
    [OPERATION_MASK] = {"mask", NULL, NULL, mask_attach},
    /* A copy of the very mount that is there, made read-only, onto itself. */
    [OPERATION_READ_ONLY_PATH] = {"read-only path", NULL, NULL, read_only_path_attach},
    /* Of the root mount's descriptor alone. */
    [OPERATION_READ_ONLY_ROOT] = {"read-only root", NULL, NULL, read_only_root_attach},
};

int act_prepare(struct launch *launch, struct bh_error *error)
{
    for (size_t i = 0; i < launch->plan->n_operations; i++) {
        struct operation *operation = &launch->plan->operations[i];
        act_step step = steps[operation->kind].prepare;
        if (step && step(launch, operation, error) < 0) {
            return bh_error_wrap(error, "prepare %s %s", steps[operation->kind].name, operation->target);
        }
    }
    return 0;
}

int act_create(struct launch *launch, struct bh_error *error)
{
    for (size_t i = 0; i < launch->plan->n_operations; i++) {
        struct operation *operation = &launch->plan->operations[i];
        act_step step = steps[operation->kind].create;
        if (step && step(launch, operation, error) < 0) {
            return bh_error_wrap(error, "make %s", steps[operation->kind].name);
        }
    }
    return 0;
}

int act_attach(struct launch *launch, struct bh_error *error)
{
    for (size_t i = 0; i < launch->plan->n_operations; i++) {
        struct operation *operation = &launch->plan->operations[i];
        act_step step = steps[operation->kind].attach;
        if (step && step(launch, operation, error) < 0) {
            return bh_error_wrap(error, "%s at \"%s\"", steps[operation->kind].name, operation->target);
        }
    }
    return 0;
}

int act_attach_mount(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int target = -1;
    struct stat status;
    struct statfs file_system;
    if (fstat(operation->fd, &status) < 0) {
        return bh_error_errno(error, errno, "look at a mount");
    }
    if (operation->ordinary_folder
            ? target_folder(launch->root, operation->target, &target, error) < 0
            : target_open(launch->root, operation->target, S_ISDIR(status.st_mode), &target, error) < 0) {
        return -1;
    }
    if (fstatfs(target, &file_system) < 0) {
        return bh_error_errno(error, errno, "look at \"%s\"", operation->target);
    }
    if (file_system.f_type == PROC_SUPER_MAGIC) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%s\" leads into /proc, where nothing may be mounted",
                            operation->target);
    }
    return move_mount(operation->fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0
               ? bh_error_errno(error, errno, "mount on \"%s\"", operation->target)
               : 0;
}
