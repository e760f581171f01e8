/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's own file systems inside a container: proc, sysfs, mqueue, cgroups. Made in the container's namespaces
 * while the host's are still to be seen, since the kernel gives a user namespace no more of /proc and /sys than it sees
 * already.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"

static int make(const char *type, uint64_t attributes, int *ret_fd, struct bh_error *error)
{
    bh_autoclose int context = fsopen(type, FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", type, 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make %s", type);
    }
    *ret_fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)attributes);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "mount %s", type) : 0;
}

static int show_hosts(const char *path, struct operation *operation, struct bh_error *error)
{
    struct mount_attr attributes = {.attr_set = operation->attributes, .propagation = MS_PRIVATE};
    operation->fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    return operation->fd < 0 || mount_setattr(operation->fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "show the host's %s", path)
               : 0;
}

/* Of the host's PID namespace, whose owner the container is not, procfs cannot be made: the host's is shown, without
 * what is mounted below it. */
int proc_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)launch;
    return operation->recursive ? show_hosts("/proc", operation, error) : 0;
}

int proc_create(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)launch;
    return operation->fd >= 0 ? 0 : make("proc", operation->attributes, &operation->fd, error);
}

int proc_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    struct statfs status;
    if (act_attach_mount(launch, operation, error) < 0) {
        return -1;
    }
    /* What is written below this descriptor later is security-relevant: it must be procfs and nothing else. */
    if (fstatfs(operation->fd, &status) < 0 || status.f_type != PROC_SUPER_MAGIC) {
        return bh_error_set(error, BH_INTERNAL, "what was mounted on /proc is not procfs");
    }
    launch->proc = operation->fd;
    return 0;
}

/* With the host's network, whose owner the container is not, sysfs cannot be made: the host's is shown, without what is
 * mounted below it. */
int sysfs_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)launch;
    return operation->recursive ? show_hosts("/sys", operation, error) : 0;
}

int sysfs_create(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)launch;
    return operation->fd >= 0 ? 0 : make("sysfs", operation->attributes, &operation->fd, error);
}

int mqueue_create(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    if (launch->plan->join_host_ipc) {
        return make("tmpfs", operation->attributes, &operation->fd, error); /* not the host's queues */
    }
    return make("mqueue", operation->attributes, &operation->fd, error);
}

/* One v1 hierarchy: its controllers are its options. */
static int make_v1(const char *controllers, uint64_t attributes, int *ret_fd)
{
    char copy[sizeof(((struct cgroup_hierarchy *)0)->controllers)];
    bh_autoclose int context = fsopen("cgroup", FSOPEN_CLOEXEC);
    (void)memccpy(copy, controllers, '\0', sizeof(copy));
    char *rest = copy, *word;
    while (context >= 0 && (word = strsep(&rest, ",")) != NULL) {
        char *equals = strchr(word, '=');
        if (equals) {
            *equals = '\0';
        }
        if (fsconfig(context, equals ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, word, equals ? equals + 1 : NULL, 0) <
            0) {
            return -1;
        }
    }
    if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return -1;
    }
    *ret_fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)attributes);
    return *ret_fd < 0 ? -1 : 0;
}

/* In the host's cgroup namespace, whose owner the container is not, the host's mounts are shown, read-only. */
int cgroups_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)launch;
    struct mount_attr attributes = {.attr_set = operation->attributes, .propagation = MS_PRIVATE};
    if (!operation->recursive) {
        return 0;
    }
    operation->fd = open_tree(AT_FDCWD, "/sys/fs/cgroup", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    return operation->fd < 0 ||
                   mount_setattr(operation->fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "show the host's cgroups")
               : 0;
}

int cgroups_create(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    const struct cgroups *cgroups = &launch->executor->cgroups;
    if (operation->fd >= 0) {
        return 0;
    }
    if (cgroups->version == 2) {
        return make("cgroup2", operation->attributes, &operation->fd, error);
    }
    for (size_t i = 0; i < cgroups->n; i++) {
        if (make_v1(cgroups->hierarchies[i].controllers, operation->attributes, &launch->cgroup_mounts[i]) < 0) {
            return bh_error_errno(error, errno, "show cgroups of \"%s\"", cgroups->hierarchies[i].controllers);
        }
    }
    return make("tmpfs", operation->attributes & ~(uint64_t)MOUNT_ATTR_RDONLY, &operation->fd, error);
}

int cgroups_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    const struct cgroups *cgroups = &launch->executor->cgroups;
    if (act_attach_mount(launch, operation, error) < 0) {
        return -1;
    }
    if (cgroups->version == 2 || operation->recursive) {
        return 0;
    }
    for (size_t i = 0; i < cgroups->n; i++) {
        const char *name = cgroups->hierarchies[i].controllers;
        name = strncmp(name, "name=", 5) == 0 ? name + 5 : name;
        if (mkdirat(operation->fd, name, 0755) < 0 ||
            move_mount(launch->cgroup_mounts[i], "", operation->fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
            return bh_error_errno(error, errno, "show cgroups of \"%s\"", name);
        }
    }
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    return mount_setattr(operation->fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "make /sys/fs/cgroup read-only")
               : 0;
}
