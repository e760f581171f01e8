/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices of the host for containers that policy allows them. A path is resolved below the host's own /dev, never out
 * of it and never into what is mounted there (/dev/shm, /dev/pts): only the host's root and its kernel make names in
 * it.
 */
#pragma once

#include <sys/stat.h>

#include "common/error.h"

/* What kind of node a path below /dev is. INVALID_ARGUMENT if it is no device. */
int device_look(const char *path, struct stat *ret_status, struct bh_error *error);
