/* SPDX-License-Identifier: Apache-2.0
 *
 * The live privileges table, read from /proc: what the kernel says of each child, not what we meant.
 */
#pragma once

#include "helper.h"

/* Fills one row for a running process. */
int privileges_read(const struct helper *helper, struct bh_privilege_row *ret_row, struct bh_error *error);
