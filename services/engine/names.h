/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of containers: which are allowed, and one made up where the client gave none. Pure but for the randomness
 * handed in.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/limits.h"

/* [a-zA-Z0-9][a-zA-Z0-9_.-]+, as Docker; a leading slash is dropped. Writes the name without it. */
int name_check(const char *text, char ret_name[static BH_NAME_BYTES_MAX + 1], struct bh_error *error);

/* "calm_lovelace"; from the second `attempt` on with a digit behind. Returns `buffer`. */
const char *name_invent(uint32_t random, unsigned attempt, char buffer[static BH_NAME_BYTES_MAX + 1]);
