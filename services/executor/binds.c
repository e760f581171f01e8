/* SPDX-License-Identifier: Apache-2.0
 *
 * Bind mounts. The source is a host path, opened exactly once and with no more rights than the tenant has; everything
 * after that works on the descriptor, so that nothing the tenant moves about can change what was checked.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "tenant.h"

static int open_path(const char *path)
{
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* With the tenant's rights: makes the folders of `path` that are missing. */
static int make_folders(const char *path, struct bh_error *error)
{
    char prefix[BH_PATH_BYTES_MAX + 1];
    (void)memccpy(prefix, path, '\0', sizeof(prefix));
    for (char *slash = strchr(prefix + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = '\0';
        }
        if (mkdir(prefix, 0755) < 0 && errno != EEXIST) {
            return bh_error_errno(error, errno, "make bind source \"%s\" with the tenant's rights", path);
        }
        if (!slash) {
            return 0;
        }
        *slash = '/';
    }
}

static int open_source(const struct launch *launch, const struct operation *operation, int *ret_fd,
                       struct bh_error *error)
{
    if (tenant_rights_take(launch->spec->tenant_uid, launch->tenant_gid, error) < 0) {
        return -1;
    }
    int result = 0;
    int fd = open_path(operation->source);
    if (fd < 0 && errno == ENOENT && operation->create_source) {
        result = make_folders(operation->source, error);
        fd = result == 0 ? open_path(operation->source) : -1;
    }
    if (result == 0 && fd < 0) {
        result = bh_error_errno(error, errno, "bind source path does not exist: open \"%s\" with the tenant's rights",
                                operation->source);
    }
    if (tenant_rights_return(error) < 0) {
        bh_close(&fd);
        return -1;
    }
    *ret_fd = fd;
    return result;
}

static int check_source(const struct launch *launch, const struct operation *operation, int fd, struct stat *ret_status,
                        struct bh_error *error)
{
    if (fstat(fd, ret_status) < 0) {
        return bh_error_errno(error, errno, "look at bind source \"%s\"", operation->source);
    }
    if (operation->must_be_owned && ret_status->st_uid != launch->spec->tenant_uid) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            "bind source \"%s\" belongs to uid %u; only what belongs to uid %u may be mounted",
                            operation->source, ret_status->st_uid, launch->spec->tenant_uid);
    }
    return 0;
}

/* The id map of one source. A folder that carries another of the tenant's groups than the primary one is shown with
 * that group as the container root's, or nothing could be written there; a group that is not the tenant's never is. */
static int choose_map(const struct launch *launch, const struct stat *source, int *ret_userns, struct bh_error *error)
{
    const struct container_spec *spec = launch->spec;
    *ret_userns = launch->binds_userns;
    if (spec->identity_binds || source->st_gid == launch->tenant_gid ||
        !tenant_is_member(spec->tenant_uid, source->st_gid)) {
        return 0;
    }
    const struct userns_map map = userns_map_tenant(spec->tenant_uid, source->st_gid, spec->id_base, spec->id_count);
    return userns_get(&launch->executor->userns, &map, ret_userns, error);
}

/* File systems in which the kernel shows itself: their ids are never shifted. */
static bool is_kernels(int source, const struct stat *status)
{
    static const unsigned int types[] = {SYSFS_MAGIC,    PROC_SUPER_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                         DEBUGFS_MAGIC,  TRACEFS_MAGIC,    SECURITYFS_MAGIC,   BPF_FS_MAGIC,
                                         PSTOREFS_MAGIC, EFIVARFS_MAGIC};
    struct stat dev;
    struct statfs file_system;
    if (stat("/dev", &dev) == 0 && dev.st_dev == status->st_dev) {
        return true;
    }
    for (size_t i = 0; fstatfs(source, &file_system) == 0 && i < sizeof(types) / sizeof(types[0]); i++) {
        if ((unsigned int)file_system.f_type == types[i]) {
            return true;
        }
    }
    return false;
}

/* What cannot be shown with shifted ids is shown as it is: to the container it is nobody's, which gives it fewer rights
 * and never more. That is for what belongs to the host, asked for by who may mount it: /dev, /sys, /proc, and what lies
 * below a folder that holds them. A tenant's own folder would look as if it were lost, and is refused. */
static bool show_unshifted(const struct operation *operation, int source, const struct stat *status,
                           struct mount_attr *attributes, unsigned int recursive)
{
    struct mount_attr plain = *attributes, top = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = attributes->userns_fd};
    plain.attr_set &= ~(uint64_t)MOUNT_ATTR_IDMAP;
    plain.userns_fd = 0;
    if (operation->must_be_owned) {
        return false;
    }
    bool shifted = recursive && mount_setattr(operation->fd, "", AT_EMPTY_PATH, &top, sizeof(top)) == 0;
    return (shifted || is_kernels(source, status)) &&
           mount_setattr(operation->fd, "", AT_EMPTY_PATH | recursive, &plain, sizeof(plain)) == 0;
}

static int restrict_source(const struct operation *operation, int source, const struct stat *status,
                           struct mount_attr *attributes, unsigned int recursive, struct bh_error *error)
{
    if (mount_setattr(operation->fd, "", AT_EMPTY_PATH | recursive, attributes, sizeof(*attributes)) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != EOPNOTSUPP && errno != EPERM) {
        return bh_error_errno(error, errno, "restrict bind source \"%s\"", operation->source);
    }
    return show_unshifted(operation, source, status, attributes, recursive)
               ? 0
               : bh_error_set(error, BH_FAILED_PRECONDITION,
                              "the file system of bind source \"%s\" (or one mounted below it) cannot be shown with "
                              "shifted ids (it needs idmapped mounts, see mount_setattr(2))",
                              operation->source);
}

int bind_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int source = -1;
    struct stat status;
    int userns;
    if (open_source(launch, operation, &source, error) < 0 ||
        check_source(launch, operation, source, &status, error) < 0 ||
        choose_map(launch, &status, &userns, error) < 0) {
        return -1;
    }
    unsigned int recursive = operation->recursive ? (unsigned int)AT_RECURSIVE : 0;
    uint64_t top_only = operation->top_read_only ? operation->attributes & MOUNT_ATTR_RDONLY : 0U;
    struct mount_attr attributes = {.attr_set = (operation->attributes & ~top_only) | MOUNT_ATTR_IDMAP,
                                    .propagation = operation->propagation,
                                    .userns_fd = (unsigned int)userns};
    struct mount_attr top = {.attr_set = top_only};
    if (!operation->must_be_owned && S_ISCHR(status.st_mode)) {
        attributes.attr_set &= ~(uint64_t)MOUNT_ATTR_NODEV; /* the list of devices says whether it may be used */
    }
    operation->fd = open_tree(source, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive);
    if (operation->fd < 0) {
        return bh_error_errno(error, errno, "clone the mount of bind source \"%s\"", operation->source);
    }
    if (restrict_source(operation, source, &status, &attributes, recursive, error) < 0) {
        return -1;
    }
    return top_only && mount_setattr(operation->fd, "", AT_EMPTY_PATH, &top, sizeof(top)) < 0
               ? bh_error_errno(error, errno, "make bind source \"%s\" read-only", operation->source)
               : 0;
}

/* Linux before 6.3 cannot shift the ids of a tmpfs: there the container has shared memory of its own. */
int host_shm_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    if (bind_prepare(launch, operation, error) == 0) {
        return 0;
    }
    bh_close(&operation->fd);
    if (error->code != BH_FAILED_PRECONDITION) {
        return -1;
    }
    bh_error_clear(error);
    return tmpfs_prepare(launch, operation, error);
}
