/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 3339 times, as image configurations write them.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* Nanoseconds since 1970. Times that 64 bits cannot hold that way (Go's "0001-01-01T00:00:00Z" above all) are 0: never.
 */
int timestamp_parse(const char *text, int64_t *ret_ns, struct bh_error *error);
