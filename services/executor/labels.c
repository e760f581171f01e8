/* SPDX-License-Identifier: Apache-2.0
 *
 * Security labels; see labels.h.
 */
#include "labels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cleanup.h"

static int write_label(int proc, const char *path, const char *prefix, const char *label, struct bh_error *error)
{
    char text[512], whole[64];
    if (!label || !*label) {
        return 0;
    }
    (void)snprintf(whole, sizeof(whole), "%s%s", proc == AT_FDCWD ? "/proc/" : "", path);
    bh_autoclose int fd = openat(proc, whole, O_WRONLY | O_CLOEXEC);
    int n = snprintf(text, sizeof(text), "%s%s", prefix, label);
    return fd < 0 || write(fd, text, (size_t)n) != n ? bh_error_errno(error, errno, "set security label \"%s\"", label)
                                                     : 0;
}

int labels_set(int proc, const char *selinux_label, const char *apparmor_profile, struct bh_error *error)
{
    return write_label(proc, "thread-self/attr/exec", "", selinux_label, error) < 0
               ? -1
               : write_label(proc, "thread-self/attr/apparmor/exec", "exec ", apparmor_profile, error);
}
