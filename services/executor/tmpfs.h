/* SPDX-License-Identifier: Apache-2.0
 *
 * Making a tmpfs: /dev and /dev/shm, what a container asked for, and volumes that are one. Numbers only.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

struct tmpfs_wish {
    const char *source;      /* what the list of mounts calls it; NULL: "tmpfs" */
    uint64_t bytes, inodes;  /* 0: no limit */
    uint32_t mode, uid, gid; /* ids on the host */
    const char *label;       /* SELinux; "" for none */
};

/* A detached mount with `attributes` (MOUNT_ATTR_*). */
int tmpfs_make(const struct tmpfs_wish *wish, uint64_t attributes, int *ret_mount, struct bh_error *error);
