/* SPDX-License-Identifier: Apache-2.0
 *
 * A response's body that is gathered in memory: small documents that are read as a whole. Used by tags.c and search.c.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"

struct body {
    char *bytes;
    size_t n_bytes;
};

/* Appends; more than `max_bytes` in all is refused. */
int body_take(struct body *body, const void *bytes, size_t n_bytes, size_t max_bytes, const char *what,
              struct bh_error *error);
void body_clear(struct body *body);
