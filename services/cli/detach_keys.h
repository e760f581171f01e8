/* SPDX-License-Identifier: Apache-2.0
 *
 * The key sequence that leaves a container's terminal without ending the container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define DETACH_KEYS_MAX 16

struct detach_keys {
    char keys[DETACH_KEYS_MAX];
    size_t count, matched;
};

/* Parses "ctrl-p,ctrl-q", "ctrl-@", "a,b". NULL is the default; "" means none. */
int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct bh_error *error);

/* Copies typed bytes to `out`, holding back what may be the sequence. Held back bytes that
 * turn out to be no sequence come first in `out`, which has room for n_bytes + DETACH_KEYS_MAX. True once it is
 * complete. */
bool detach_keys_filter(struct detach_keys *keys, const char *bytes, size_t n_bytes, char *out, size_t *ret_bytes);
