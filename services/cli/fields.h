/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading fields of the engine's JSON answers. A field that is absent, null or of another type reads as empty: what is
 * shown to a person does not fail over it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "string_list.h"

static inline void fields_cleanup_json(json_t **json)
{
    json_decref(*json);
}
#define json_auto bh_cleanup(fields_cleanup_json)

/* `path` is one key, or several with dots: "State.Status". Borrowed; NULL if absent. */
json_t *field_at(const json_t *object, const char *path);
const char *field_text(const json_t *object, const char *path);
int64_t field_integer(const json_t *object, const char *path);
bool field_truth(const json_t *object, const char *path);

/* Sets object[key] = value, taking over `value` (which may be NULL if it could not be made). */
int field_set(json_t *object, const char *key, json_t *value, struct bh_error *error);
/* The same for what a user may have left out: nothing is set for NULL, an empty list, a flag that is off. */
int field_set_text(json_t *object, const char *key, const char *text, struct bh_error *error);
int field_set_list(json_t *object, const char *key, const struct strings *list, struct bh_error *error);
int field_set_flag(json_t *object, const char *key, bool on, struct bh_error *error);
int field_set_integer(json_t *object, const char *key, bool given, int64_t value, struct bh_error *error);
/* Appends, likewise. */
int field_append(json_t *array, json_t *value, struct bh_error *error);
