/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of the host: made anew by number, and opened where a node of them is there already.
 */
#include "attempt.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Makes a node in a folder that belongs to the attempt, and opens it. A driver that is not there has let us as far as
 * it. */
static int open_device(mode_t type, unsigned int major, unsigned int minor)
{
    const char *path = "/tmp/escape-device";
    (void)unlink(path);
    if (mknod(path, type | 0600, makedev(major, minor)) < 0) {
        return errno;
    }
    int result = fd_result(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    (void)unlink(path);
    return result == ENXIO || result == ENODEV || result == EBUSY || result == EIO ? 0 : result;
}

static int disk(void)
{
    unsigned int major, minor;
    if (sscanf(outside_text("ESCAPE_DISK"), "%u:%u", &major, &minor) != 2) {
        return EINVAL;
    }
    return open_device(S_IFBLK, major, minor);
}

/* clang-format off */
static int memory(void) { return open_device(S_IFCHR, 1, 1); }
static int ports(void) { return open_device(S_IFCHR, 1, 4); }
static int kernel_log(void) { return open_device(S_IFCHR, 1, 11); }
static int loop_control(void) { return open_device(S_IFCHR, 10, 237); }
static int loop(void) { return open_device(S_IFBLK, 7, 0); }
static int fuse(void) { return open_device(S_IFCHR, 10, 229); }
static int tun(void) { return open_device(S_IFCHR, 10, 200); }
static int kvm(void) { return open_device(S_IFCHR, 10, 232); }
static int mapper(void) { return open_device(S_IFCHR, 10, 236); }
static int btrfs(void) { return open_device(S_IFCHR, 10, 234); }
static int vsock(void) { return open_device(S_IFCHR, 10, 241); }
static int userfaultfd_device(void) { return open_device(S_IFCHR, 10, 126); }
static int console(void) { return open_device(S_IFCHR, 4, 1); }
static int serial(void) { return open_device(S_IFCHR, 4, 64); }
static int watchdog(void) { return open_device(S_IFCHR, 10, 130); }
static int input(void) { return open_device(S_IFCHR, 13, 64); }
/* clang-format on */

/* A node for a device on a file system of one's own, where the image's nodev does not count. */
static int disk_on_tmpfs(void)
{
    if (mount("none", "/tmp", "tmpfs", 0, NULL) < 0) {
        return errno;
    }
    return disk();
}

static int disk_by_devtmpfs(void)
{
    if (mount("none", "/tmp", "devtmpfs", 0, NULL) < 0) {
        return errno;
    }
    return fd_result(open("/tmp/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

const struct attempt device_attempts[] = {
    {"device: the root disk", disk},
    {"device: the root disk, on a tmpfs of our own", disk_on_tmpfs},
    {"device: a devtmpfs of our own", disk_by_devtmpfs},
    {"device: memory", memory},
    {"device: ports", ports},
    {"device: the kernel's log", kernel_log},
    {"device: loop control", loop_control},
    {"device: a loop device", loop},
    {"device: fuse", fuse},
    {"device: tun", tun},
    {"device: kvm", kvm},
    {"device: device mapper", mapper},
    {"device: btrfs", btrfs},
    {"device: vhost-vsock", vsock},
    {"device: userfaultfd", userfaultfd_device},
    {"device: the first console", console},
    {"device: a serial line", serial},
    {"device: the watchdog", watchdog},
    {"device: an input", input},
    {NULL, NULL},
};
