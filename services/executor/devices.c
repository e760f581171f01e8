/* SPDX-License-Identifier: Apache-2.0
 *
 * See devices.h. A container gets a node of its own with the host's numbers, on a tmpfs that only the launcher has
 * written to: the host's node is looked at, but never handed in, so that its owner and mode stay the host's affair.
 */
#include "devices.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "common/limits.h"

#define FOLDER_DEPTH_MAX 4 /* /dev/bus/usb/001/002 is the deepest there is */
#define NODE_NAME        "node"

/* ---- the host's side ---------------------------------------------------------------------------------- */

static int open_below(int above, const char *path, uint64_t flags, int *ret_fd)
{
    struct open_how how = {.flags = flags | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};
    *ret_fd = (int)syscall(SYS_openat2, above, path, &how, sizeof(how));
    return *ret_fd < 0 ? -1 : 0;
}

/* `path` starts with /dev/, which spec.c has checked. */
static int open_device(const char *path, int *ret_fd, struct stat *ret_status, struct bh_error *error)
{
    bh_autoclose int dev = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
    if (dev < 0 || open_below(dev, path + sizeof("/dev/") - 1, O_PATH, &fd) < 0 || fstat(fd, ret_status) < 0) {
        int failed = errno;
        return bh_error_set(error, failed == ENOENT ? BH_INVALID_ARGUMENT : BH_FAILED_PRECONDITION,
                            "error gathering device information while adding custom device \"%s\": %s", path,
                            failed == ENOENT  ? "no such file or directory"
                            : failed == EXDEV ? "it does not lie in /dev itself"
                                              : strerror(failed));
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int device_look(const char *path, struct stat *ret_status, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    if (open_device(path, &fd, ret_status, error) < 0) {
        return -1;
    }
    return S_ISCHR(ret_status->st_mode) || S_ISBLK(ret_status->st_mode)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "error gathering device information while adding custom device \"%s\": not a device node",
                              path);
}

/* ---- the container's side ------------------------------------------------------------------------------ */

static int add_rule(struct launch *launch, const struct stat *status, unsigned int access, struct bh_error *error)
{
    struct cgroup_devices *devices = launch->devices;
    if (devices->n == CGROUP_DEVICES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d devices", CGROUP_DEVICES_MAX);
    }
    devices->rules[devices->n++] = (struct spec_device_rule){.kind = S_ISBLK(status->st_mode) ? 'b' : 'c',
                                                             .major = (int)major(status->st_rdev),
                                                             .minor = (int)minor(status->st_rdev),
                                                             .access = access};
    return 0;
}

/* The container's root owns it; the group keeps its number, so that --group-add means the same as on the host. */
static int make_node(const struct launch *launch, int folder, const char *name, const struct stat *status,
                     struct bh_error *error)
{
    uint32_t base = launch->spec->id_base;
    uint32_t group = status->st_gid < launch->spec->id_count ? base + status->st_gid : base;
    return mknodat(folder, name, status->st_mode & (S_IFMT | 0777), status->st_rdev) < 0 ||
                   fchownat(folder, name, base, group, AT_SYMLINK_NOFOLLOW) < 0 ||
                   fchmodat(folder, name, status->st_mode & 0777, 0) < 0
               ? bh_error_errno(error, errno, "make device \"%s\"", name)
               : 0;
}

static int make_device(struct launch *launch, int folder, const char *name, const struct stat *status,
                       unsigned int access, struct bh_error *error)
{
    struct stat there;
    if (fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        /* What every container has stays what it is: the null device also masks files. */
        bool same = (there.st_mode & S_IFMT) == (status->st_mode & S_IFMT) && there.st_rdev == status->st_rdev;
        return same ? add_rule(launch, status, access, error)
                    : bh_error_set(error, BH_INVALID_ARGUMENT, "device \"%s\": something else has that name already",
                                   name);
    }
    return make_node(launch, folder, name, status, error) < 0 ? -1 : add_rule(launch, status, access, error);
}

/* One of all that the host has; a rule for all of them is there already. */
static int make_one_of_all(const struct launch *launch, int folder, const char *name, const struct stat *status,
                           struct bh_error *error)
{
    return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? 0 : make_node(launch, folder, name, status, error);
}

static int make_folder(const struct launch *launch, int above, const char *name, int *ret_fd, struct bh_error *error)
{
    if ((mkdirat(above, name, 0755) < 0 && errno != EEXIST) ||
        (*ret_fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0 ||
        fchown(*ret_fd, launch->spec->id_base, launch->spec->id_base) < 0) {
        return bh_error_errno(error, errno, "make a folder for devices, \"%s\"", name);
    }
    return 0;
}

/* Every device in a folder of the host's /dev, and in the folders below it; of `all` those whose names are free. */
static int copy_folder(struct launch *launch, int host, int inside, unsigned int access, bool all, int depth,
                       struct bh_error *error)
{
    int copy = openat(host, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bh_autoclosedir DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (!entries) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list a folder of devices");
    }
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        struct stat status;
        if (entry->d_name[0] == '.' || (all && strcmp(entry->d_name, "console") == 0) || /* the container's terminal */
            fstatat(host, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
            continue; /* gone again */
        }
        if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
            if (all ? make_one_of_all(launch, inside, entry->d_name, &status, error) < 0
                    : make_device(launch, inside, entry->d_name, &status, access, error) < 0) {
                return -1;
            }
        } else if (S_ISDIR(status.st_mode) && depth < FOLDER_DEPTH_MAX) {
            bh_autoclose int below = -1, below_inside = -1;
            if (open_below(host, entry->d_name, O_RDONLY | O_DIRECTORY, &below) < 0) {
                continue; /* something is mounted there: it is not of /dev */
            }
            if (make_folder(launch, inside, entry->d_name, &below_inside, error) < 0 ||
                copy_folder(launch, below, below_inside, access, all, depth + 1, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int make_all(struct launch *launch, const struct operation *operation, int folder, const char *name,
                    struct bh_error *error)
{
    struct stat status;
    bh_autoclose int host = -1;
    if (open_device(operation->source, &host, &status, error) < 0) {
        return -1;
    }
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
        return make_device(launch, folder, name, &status, operation->access, error);
    }
    if (!S_ISDIR(status.st_mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "error gathering device information while adding custom device \"%s\": not a device node",
                            operation->source);
    }
    bh_autoclose int inside = -1;
    return make_folder(launch, folder, name, &inside, error) < 0
               ? -1
               : copy_folder(launch, host, inside, operation->access, false, 0, error);
}

/* Walks "a/b/c" in our own /dev, making folders; leaves the last name to the caller. */
static int open_parent(const struct launch *launch, const char *path, char *ret_name, size_t size, int *ret_fd,
                       struct bh_error *error)
{
    static const char *const covered[] = {"pts", "shm", "mqueue"}; /* something is mounted over it */
    char copy[BH_PATH_BYTES_MAX + 1];
    bh_autoclose int at = openat(launch->dev, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(copy, sizeof(copy), "%s", path);
    char *rest = copy, *part = strsep(&rest, "/");
    for (size_t i = 0; i < sizeof(covered) / sizeof(covered[0]); i++) {
        if (strcmp(part, covered[i]) == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "a device cannot be placed at \"/dev/%s\"", path);
        }
    }
    while (at >= 0 && rest) {
        int next = -1;
        if (*part && make_folder(launch, at, part, &next, error) < 0) {
            return -1;
        }
        if (next >= 0) {
            bh_close(&at);
            at = next;
        }
        part = strsep(&rest, "/");
    }
    (void)snprintf(ret_name, size, "%s", part);
    *ret_fd = bh_steal_fd(&at);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open the container's /dev") : 0;
}

/* Beside /dev the node comes as a mount: the container's own files can hold none that works. */
static int prepare_elsewhere(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int store = -1;
    if (tmpfs_prepare(launch, operation, error) < 0) {
        return -1;
    }
    store = bh_steal_fd(&operation->fd);
    if (make_all(launch, operation, store, NODE_NAME, error) < 0) {
        return -1;
    }
    operation->fd = open_tree(store, NODE_NAME, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    return operation->fd < 0 ? bh_error_errno(error, errno, "hand over device \"%s\"", operation->source) : 0;
}

/* The host's /dev as the container's: its nodes beside what every container has, and its cgroup lets it use all. */
static int prepare_all(struct launch *launch, const struct operation *operation, struct bh_error *error)
{
    struct cgroup_devices *devices = launch->devices;
    bh_autoclose int host = open("/dev", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (host < 0) {
        return bh_error_errno(error, errno, "open /dev");
    }
    if (devices->n == CGROUP_DEVICES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d devices", CGROUP_DEVICES_MAX);
    }
    devices->rules[devices->n++] = (struct spec_device_rule){
        .kind = 'a', .major = SPEC_DEVICE_ANY, .minor = SPEC_DEVICE_ANY, .access = operation->access};
    return copy_folder(launch, host, launch->dev, operation->access, true, 0, error);
}

int device_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    char name[256];
    bh_autoclose int folder = -1;
    const char *path = operation->target;
    if (strcmp(operation->source, SPEC_ALL_DEVICES) == 0) {
        return prepare_all(launch, operation, error);
    }
    if (strncmp(path, "/dev/", 5) != 0) {
        return prepare_elsewhere(launch, operation, error);
    }
    return open_parent(launch, path + 5, name, sizeof(name), &folder, error) < 0
               ? -1
               : make_all(launch, operation, folder, name, error);
}

int device_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    return operation->fd >= 0 ? act_attach_mount(launch, operation, error) : 0;
}
