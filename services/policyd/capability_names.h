/* SPDX-License-Identifier: Apache-2.0
 *
 * Capabilities by name and number, as rule files and messages write them: without "CAP_", upper case.
 */
#pragma once

#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>

/* Every capability this engine knows. */
#define CAPABILITY_ALL ((1ULL << (CAP_LAST_CAP + 1)) - 1)

/* The number of "NET_RAW" or "CAP_NET_RAW"; -1 for a name that is none. */
int capability_number(const char *name);

/* Writes the names in `mask`, separated by spaces; cut short if there is no room. Returns `buffer`. */
const char *capability_list(uint64_t mask, char *buffer, size_t buffer_bytes);
