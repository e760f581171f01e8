/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of capabilities as Docker's clients write them.
 */
#pragma once

#include <stddef.h>

/* The number of "NET_ADMIN", "CAP_NET_ADMIN" or "cap_net_admin"; -1 if there is none of that name. */
int capability_number(const char *name);

/* Writes the canonical form ("CAP_NET_ADMIN", "ALL") of any spelling, whether known or not. Returns `buffer`. */
const char *capability_canonical(const char *name, char *buffer, size_t buffer_bytes);
