/* SPDX-License-Identifier: Apache-2.0
 *
 * Who the container's user is, by its own /etc/passwd and /etc/group.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

int owner_find(int root, const char *user, uint32_t *ret_uid, uint32_t *ret_gid, struct bh_error *error);
