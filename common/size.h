/* SPDX-License-Identifier: Apache-2.0
 *
 * Sizes as people write them in Docker's options.
 */
#pragma once

#include <stdint.h>

/* "64m", "1g", "512", "10KiB": bytes, in powers of 1024. Returns -1 if it is none, or more than 64 bits hold. */
int bh_size_parse(const char *text, uint64_t *ret_bytes);
