/* SPDX-License-Identifier: Apache-2.0
 *
 * Loop devices; see loop.h.
 */
#include "loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"

#define ATTEMPTS         64
#define BLOCK_BYTES      4096
#define DEVICES_FOLDER   "/sys/block"
#define DEVICE_NAME_SIZE 32

int loop_attach(int image, bool read_only, int *ret_loop, struct bh_error *error)
{
    bh_autoclose int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0) {
        return bh_error_errno(error, errno, "open /dev/loop-control");
    }
    const struct loop_config config = {
        .fd = (uint32_t)image,
        .block_size = BLOCK_BYTES,
        .info = {.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : LO_FLAGS_DIRECT_IO)},
    };
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);
        char path[DEVICE_NAME_SIZE];
        if (number < 0) {
            return bh_error_errno(error, errno, "find a free loop device");
        }
        (void)snprintf(path, sizeof(path), "/dev/loop%d", number);
        bh_autoclose int loop = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
        if (loop < 0) {
            return bh_error_errno(error, errno, "open %s", path);
        }
        if (ioctl(loop, LOOP_CONFIGURE, &config) == 0) {
            *ret_loop = bh_steal_fd(&loop);
            return 0;
        }
        if (errno != EBUSY) { /* EBUSY: somebody else took it first */
            return bh_error_errno(error, errno, "attach a file to %s", path);
        }
    }
    return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no loop device stays free");
}

/* The kernel writes device numbers in its own wide form. */
static uint64_t kernel_device(dev_t device)
{
    uint64_t low = minor(device);
    return (low & 0xff) | ((uint64_t)major(device) << 8) | ((low & ~0xffULL) << 12);
}

/* Opens the device if it stands over that very file; from then on it stays, even if its last mount goes. */
static int open_if_over(const char *name, const struct stat *image)
{
    char path[DEVICE_NAME_SIZE];
    struct loop_info64 info;
    (void)snprintf(path, sizeof(path), "/dev/%.20s", name);
    bh_autoclose int loop = open(path, O_RDWR | O_CLOEXEC);
    bool over = loop >= 0 && ioctl(loop, LOOP_GET_STATUS64, &info) == 0 && info.lo_inode == image->st_ino &&
                info.lo_device == kernel_device(image->st_dev);
    return over ? bh_steal_fd(&loop) : -1;
}

int loop_share(int image, int *ret_loop, struct bh_error *error)
{
    struct stat status;
    bh_autoclosedir DIR *devices = opendir(DEVICES_FOLDER);
    if (!devices || fstat(image, &status) < 0) {
        return bh_error_errno(error, errno, "look for a loop device");
    }
    for (const struct dirent *entry = readdir(devices); entry; entry = readdir(devices)) {
        char bound[64];
        (void)snprintf(bound, sizeof(bound), "%.20s/loop", entry->d_name);
        if (strncmp(entry->d_name, "loop", 4) == 0 && faccessat(dirfd(devices), bound, F_OK, 0) == 0) {
            int loop = open_if_over(entry->d_name, &status);
            if (loop >= 0) {
                *ret_loop = loop;
                return 0;
            }
        }
    }
    return loop_attach(image, false, ret_loop, error);
}
