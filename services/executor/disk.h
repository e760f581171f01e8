/* SPDX-License-Identifier: Apache-2.0
 *
 * Disks: a file system of a given size in one file, so that what lies in it can take no more than that, whatever the
 * file system below. Made by us with libext2fs; from then on only the kernel writes to it. Used for the files of a
 * container with a limit, and for volumes of a size, where there are no project quotas (project.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define DISK_NAME "disk"

/* Whether there can be a limit of so many bytes, on a disk or otherwise. */
int disk_check_size(uint64_t bytes, struct bh_error *error);
/* Makes the file DISK_NAME in `folder`, of `bytes`, its root folder owned by `owner`. Takes room only as it is filled.
 * `journal`: must survive a power cut. */
int disk_make(int folder, uint64_t bytes, uint32_t owner, bool journal, struct bh_error *error);
/* A detached mount of the disk in `folder`. Several share one file system. NOT_FOUND if there is none. */
int disk_mount(int folder, int *ret_mount, struct bh_error *error);
/* How much of it is in use and how much there is, by the mount's own word. */
int disk_usage(int mount, uint64_t *ret_used_bytes, uint64_t *ret_bytes, struct bh_error *error);
