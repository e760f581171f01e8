/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON from outside, strictly: no duplicate keys, bounded depth and size, every value of the type that it must have.
 * Used by manifest.c, config.c and the archive scanners. Parsed documents are jansson's; strings are valid UTF-8
 * without NUL.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/digest.h"
#include "common/error.h"

static inline void json_cleanup(json_t **json)
{
    json_decref(*json);
}
#define bh_autojson bh_cleanup(json_cleanup)

/* Parses a whole document. `what` names it in errors. Malformed: INVALID_ARGUMENT. */
int json_parse(const char *text, size_t n_bytes, const char *what, json_t **ret_json, struct bh_error *error);

/* Reads a descriptor whole (at most `max_bytes`) and parses it. */
int json_read(int fd, size_t max_bytes, const char *what, json_t **ret_json, struct bh_error *error);

/* Members of an object. Each gives NULL (or 0, false) if the key is absent or null, and fails if it has another type.
 * `path` names the object in errors. Results are borrowed. */
int json_member_object(json_t *object, const char *key, const char *path, json_t **ret_value, struct bh_error *error);
int json_member_array(json_t *object, const char *key, const char *path, json_t **ret_value, struct bh_error *error);
int json_member_string(json_t *object, const char *key, const char *path, const char **ret_value,
                       struct bh_error *error);
int json_member_integer(json_t *object, const char *key, const char *path, int64_t *ret_value, bool *ret_present,
                        struct bh_error *error);
int json_member_boolean(json_t *object, const char *key, const char *path, bool *ret_value, struct bh_error *error);

/* The element of an array as an object or string; anything else is refused. */
int json_element_object(json_t *array, size_t index, const char *path, json_t **ret_value, struct bh_error *error);
int json_element_string(json_t *array, size_t index, const char *path, const char **ret_value, struct bh_error *error);
