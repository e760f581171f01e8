/* SPDX-License-Identifier: Apache-2.0
 *
 * The sizes of all files below a folder that containers have written.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* In a forked child that ends soon. First becomes the root of `userns` with no descriptor but `folder` and `keep`: what
 * names it reads then can lead nowhere but below the folder, and with no more rights than the tenant's own containers
 * have there. Sums the sizes of regular files; one with several names counts once, shared between them. */
int tree_size(int userns, int folder, int keep, uint64_t *ret_bytes, struct bh_error *error);
