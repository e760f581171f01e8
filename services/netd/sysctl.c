/* SPDX-License-Identifier: Apache-2.0
 *
 * See sysctl.h.
 */
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"

static int open_switch(const char *name, int flags, int *ret_fd, struct bh_error *error)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
    *ret_fd = open(path, flags | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open \"%s\"", path) : 0;
}

int sysctl_read(const char *name, int *ret_value, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    char text[32] = "";
    if (open_switch(name, O_RDONLY, &fd, error) < 0) {
        return -1;
    }
    if (read(fd, text, sizeof(text) - 1) <= 0) {
        return bh_error_errno(error, errno, "read switch net/%s", name);
    }
    *ret_value = atoi(text);
    return 0;
}

int sysctl_write(const char *name, int value, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    char text[32];
    int n = snprintf(text, sizeof(text), "%d\n", value);
    if (open_switch(name, O_WRONLY, &fd, error) < 0) {
        return -1;
    }
    return write(fd, text, (size_t)n) != n ? bh_error_errno(error, errno, "set switch net/%s to %d", name, value) : 0;
}

int sysctl_ensure(const char *name, int value, struct bh_error *error)
{
    int actual;
    if (sysctl_read(name, &actual, error) < 0) {
        return -1;
    }
    return actual == value ? 0 : sysctl_write(name, value, error);
}
