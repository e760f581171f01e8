/* SPDX-License-Identifier: Apache-2.0
 *
 * How much a tree takes, for `ps -s` and `inspect -s`.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* Sum of the regular files' sizes, an inode of several names once, as Docker counts; and how many inodes there are. */
int measure_tree(int folder, uint64_t *ret_bytes, uint64_t *ret_inodes, struct bh_error *error);
