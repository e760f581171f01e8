/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts: what is masked or read-only made open, and file systems of the kernel's mounted anew. The caller has made a
 * mount namespace of its own where these succeed.
 */
#include "attempt.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int mounts(const char *type, const char *options)
{
    return result_of(mount("none", "/tmp", type, 0, options));
}

/* clang-format off */
static int proc(void) { return mounts("proc", NULL); }
static int sysfs(void) { return mounts("sysfs", NULL); }
static int tmpfs(void) { return mounts("tmpfs", NULL); }
static int devpts(void) { return mounts("devpts", "newinstance"); }
static int mqueue(void) { return mounts("mqueue", NULL); }
static int debugfs(void) { return mounts("debugfs", NULL); }
static int tracefs(void) { return mounts("tracefs", NULL); }
static int securityfs(void) { return mounts("securityfs", NULL); }
static int bpf_folder(void) { return mounts("bpf", NULL); }
static int overlay(void) { return mounts("overlay", "lowerdir=/etc:/dev"); }
static int binfmt(void) { return mounts("binfmt_misc", NULL); }
static int remount_root(void) { return result_of(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static int remount_sysctl(void) { return result_of(mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL)); }
static int shared_root(void) { return result_of(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL)); }
static int bind_over_mask(void) { return result_of(mount("/bin", "/sys", NULL, MS_BIND, NULL)); }
static int bind_proc(void) { return result_of(mount("/proc", "/tmp", NULL, MS_BIND | MS_REC, NULL)); }
static int bind_root(void) { return result_of(mount("/", "/tmp", NULL, MS_BIND, NULL)); }
static int unmount_proc(void) { return result_of(umount2("/proc", MNT_DETACH)); }
static int unmount_sys(void) { return result_of(umount2("/sys", MNT_DETACH)); }
static int unmount_root(void) { return result_of(umount2("/", MNT_DETACH)); }
/* clang-format on */

/* A hierarchy of cgroups of version 1, whose release agent the kernel starts with the host's rights. */
static int cgroup(void)
{
    if (mount("none", "/tmp", "cgroup", 0, "memory") < 0 && mount("none", "/tmp", "cgroup2", 0, NULL) < 0) {
        return errno;
    }
    return 0;
}

static int move_root(void)
{
    return mount("/proc", "/tmp", NULL, MS_MOVE, NULL) < 0 && errno != EINVAL ? errno : 0;
}

static int fs_open(void)
{
    return fd_result((int)syscall(SYS_fsopen, "proc", 0U));
}

static int fs_pick(void)
{
    return fd_result((int)syscall(SYS_fspick, AT_FDCWD, "/proc", 0U));
}

static int clone_tree(void)
{
    return fd_result((int)syscall(SYS_open_tree, AT_FDCWD, "/", 1U /* OPEN_TREE_CLONE */));
}

static int set_attributes(void)
{
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    return result_of(syscall(SYS_mount_setattr, AT_FDCWD, "/proc", 0U, &attributes, sizeof(attributes)));
}

/* A user namespace of one's own makes its root able to mount: proc comes without masks then. */
static int proc_in_a_user_namespace(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0) {
        return errno;
    }
    return 0;
}

/* Out of a chroot by a folder that is still open, and pivot_root out of the container's root. */
static int pivot(void)
{
    if (mount("/", "/tmp", NULL, MS_BIND, NULL) < 0) {
        return errno;
    }
    return result_of(syscall(SYS_pivot_root, "/tmp", "/tmp"));
}

static int chroot_out(void)
{
    int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat before, after;
    if (root < 0 || fstat(root, &before) < 0) {
        return errno;
    }
    (void)mkdir("/tmp/escape-chroot", 0700);
    if (chroot("/tmp/escape-chroot") < 0 || fchdir(root) < 0) {
        return errno;
    }
    for (int i = 0; i < 64; i++) {
        if (chdir("..") < 0) {
            return errno;
        }
    }
    if (chroot(".") < 0 || stat("/", &after) < 0) {
        return errno;
    }
    (void)rmdir("/tmp/escape-chroot");
    /* as far up as we were before is no escape; whoever sees the canary has escaped */
    return fd_result(open(outside_text("ESCAPE_CANARY"), O_RDONLY | O_CLOEXEC));
}

/* A file of the host by its handle: 2 is the root of ext4, 128 that of xfs; the file system is that of the container's
 * root. */
static int file_by_handle(void)
{
    struct {
        struct file_handle handle;
        uint32_t numbers[8];
    } file = {.handle = {.handle_bytes = sizeof(file.numbers)}};
    int mount_id = 0;
    if (name_to_handle_at(AT_FDCWD, "/etc/hostname", &file.handle, &mount_id, 0) < 0) {
        return errno;
    }
    int at = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    int result = fd_result(open_by_handle_at(at, &file.handle, O_RDONLY | O_CLOEXEC));
    (void)close(at);
    return result;
}

const struct attempt mount_attempts[] = {
    {"mount: proc anew", proc},
    {"mount: sysfs anew", sysfs},
    {"mount: tmpfs", tmpfs},
    {"mount: devpts anew", devpts},
    {"mount: mqueue", mqueue},
    {"mount: debugfs", debugfs},
    {"mount: tracefs", tracefs},
    {"mount: securityfs", securityfs},
    {"mount: bpf", bpf_folder},
    {"mount: overlay", overlay},
    {"mount: binfmt_misc", binfmt},
    {"mount: cgroups", cgroup},
    {"mount: the root remounted", remount_root},
    {"mount: proc remounted", remount_sysctl},
    {"mount: the root shared", shared_root},
    {"mount: a folder over sys", bind_over_mask},
    {"mount: proc bound elsewhere", bind_proc},
    {"mount: the root bound elsewhere", bind_root},
    {"mount: proc moved", move_root},
    {"mount: proc unmounted", unmount_proc},
    {"mount: sys unmounted", unmount_sys},
    {"mount: the root unmounted", unmount_root},
    {"mount: fsopen", fs_open},
    {"mount: fspick", fs_pick},
    {"mount: open_tree", clone_tree},
    {"mount: mount_setattr", set_attributes},
    {"mount: in a user namespace", proc_in_a_user_namespace},
    {"mount: pivot_root", pivot},
    {"mount: out of a chroot", chroot_out},
    {"mount: a file by its handle", file_by_handle},
    {NULL, NULL},
};
