/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing list of strings. Option values and arguments borrow argv's; lists read from files own theirs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"
#include "common/error.h"

struct strings {
    const char **items;
    size_t count;
    bool owned; /* the items are freed with the list */
};

/* Appends `item`, borrowed. */
int strings_add(struct strings *list, const char *item, struct bh_error *error);
/* Appends a copy of `item`; the list must hold nothing but copies. */
int strings_add_copy(struct strings *list, const char *item, size_t n_bytes, struct bh_error *error);
void strings_free(struct strings *list);
#define strings_auto bh_cleanup(strings_free)

/* True if `text` starts with `prefix`. */
bool strings_begins(const char *text, const char *prefix);
/* printf into a new string, owned by the caller. */
int strings_format(char **ret_text, struct bh_error *error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
