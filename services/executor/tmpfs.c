/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a tmpfs; see tmpfs.h.
 */
#include "tmpfs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "common/cleanup.h"

static int set_number(int context, const char *key, uint64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return fsconfig(context, FSCONFIG_SET_STRING, key, text, 0);
}

static int set_mode(int context, uint32_t mode)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%o", mode);
    return fsconfig(context, FSCONFIG_SET_STRING, "mode", text, 0);
}

int tmpfs_make(const struct tmpfs_wish *wish, uint64_t attributes, int *ret_mount, struct bh_error *error)
{
    bh_autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", wish->source ? wish->source : "tmpfs", 0) < 0 ||
        set_mode(context, wish->mode ? wish->mode : 0755) < 0 || set_number(context, "uid", wish->uid) < 0 ||
        set_number(context, "gid", wish->gid) < 0 || (wish->bytes && set_number(context, "size", wish->bytes) < 0) ||
        (wish->inodes && set_number(context, "nr_inodes", wish->inodes) < 0) ||
        (*wish->label && fsconfig(context, FSCONFIG_SET_STRING, "context", wish->label, 0) < 0) ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make a tmpfs");
    }
    *ret_mount = fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)attributes);
    return *ret_mount < 0 ? bh_error_errno(error, errno, "mount a tmpfs") : 0;
}
