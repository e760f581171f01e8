/* SPDX-License-Identifier: Apache-2.0
 *
 * Loop devices: files of ours as block devices. Every one clears itself once nothing uses it, so that none is left
 * behind, however the executor or a container ends. No container can reach a block device: all mounts are ours.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

/* A new device over `image`. */
int loop_attach(int image, bool read_only, int *ret_loop, struct bh_error *error);
/* The device that stands over `image` already, or a new one: two devices over one file would be two truths about it.
 * The caller keeps others from asking for the same file at the same time. */
int loop_share(int image, int *ret_loop, struct bh_error *error);
