/* SPDX-License-Identifier: Apache-2.0
 *
 * The key sequence that detaches a client from a terminal ("ctrl-p,ctrl-q"). Called by attach.c on the client's bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define DETACH_KEYS_MAX 32

struct detach_keys {
    unsigned char keys[DETACH_KEYS_MAX];
    size_t n_keys;
    size_t matched; /* of the sequence, by the last bytes seen */
};

/* "" or NULL is Docker's default. Refuses (INVALID_ARGUMENT) what is neither a character nor ctrl-<a-z@[\]^_>. */
int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct bh_error *error);

/* Passes bytes on, holding back a begun sequence. `ret_bytes` must hold n_bytes + DETACH_KEYS_MAX. True: the sequence
 * is complete and the client wants to go; what stood before it is in `ret_bytes`. */
bool detach_keys_filter(struct detach_keys *keys, const unsigned char *bytes, size_t n_bytes, unsigned char *ret_bytes,
                        size_t *ret_n_bytes);
