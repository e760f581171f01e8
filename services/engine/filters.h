/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's filters of lists: values of one key are alternatives, keys are all required (but `label`, whose values are
 * all required). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api_engine.pb-c.h"
#include "common/error.h"

/* A key that is not in `known` (ends with NULL) is refused in Docker's words. */
int filters_check(Bulkhead__Filter *const *filters, size_t n_filters, const char *const *known, struct bh_error *error);

/* The values of a key, or NULL if the list is not filtered by it. */
const Bulkhead__Filter *filters_find(Bulkhead__Filter *const *filters, size_t n_filters, const char *key);

/* No such filter, or one of its values equals `text`. */
bool filters_match_exactly(const Bulkhead__Filter *filter, const char *text);
/* ... or starts it. */
bool filters_match_prefix(const Bulkhead__Filter *filter, const char *text);
/* ... or is a regular expression (pattern.h) that is found in it; the name counts with and without a leading slash. */
bool filters_match_name(const Bulkhead__Filter *filter, const char *name);
/* "key" or "key=value", all of them. */
bool filters_match_labels(const Bulkhead__Filter *filter, Bulkhead__KeyValue *const *labels, size_t n_labels);
/* "true", "1", "false", "0". */
int filters_boolean(const Bulkhead__Filter *filter, bool *ret_value, struct bh_error *error);
/* An image's familiar name against `reference` patterns: shell wildcards, with or without a tag. */
bool filters_match_reference(const Bulkhead__Filter *filter, const char *familiar);
