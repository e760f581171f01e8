/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules for the extended attributes of one inode in a layer image: common/erofs_format.h, "Extended attributes".
 * Called by erofs_check.c; trusts nothing. What matters most: no "trusted.overlay.*" but the opaque mark, since
 * overlayfs believes the others.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Checks the whole area, header included. `n_bytes` is at most BH_EROFS_XATTR_AREA_MAX. INVALID_ARGUMENT says what is
 * wrong; the caller adds which inode. */
int erofs_xattr_check(const uint8_t *area, size_t n_bytes, bool directory, struct bh_error *error);
