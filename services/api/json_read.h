/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict reading of clients' JSON: bounded depth, no key twice, no wrong type, no unknown field with a meaning. jansson
 * parses; what it would let through is refused here. Everything read is copied into malloc'd memory that generated
 * messages own.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "types.pb-c.h"

#define JSON_BODY_BYTES_MAX (4U * 1024U * 1024U)

/* Parses one object (nothing else, nothing behind it). `what` names it in errors. The caller frees with json_decref().
 */
int json_parse_object(const char *text, size_t n_bytes, const char *what, json_t **ret_object, struct bh_error *error);

/* Whether a value says nothing: null, false, 0, "", and arrays and objects of such. Clients send these for what they do
 * not use. */
bool json_is_default(const json_t *value);
/* The same without looking inside: an array or object says something as soon as it has an element ({"80/tcp":[{}]}
 * publishes a port). */
bool json_is_empty(const json_t *value);
/* Docker reads a field in any case ("container" for Container, as its Ruby library writes): it gets its right name. One
 * that is there in two of them is INVALID_ARGUMENT, so that there is one reading. */
int json_settle_field(const json_t *object, const char *field, struct bh_error *error);
/* The same for all of a list that ends with NULL. */
int json_settle_fields(const json_t *object, const char *const *fields, struct bh_error *error);
/* Docker's fields begin with a capital letter. What is in small letters after that is the client library's own
 * (dockerode sends name, hijack, abortSignal along) and means nothing. */
bool json_is_clients_own(const char *name);

/* Each copies `value` into a slot; null leaves it alone. `field` names it in errors: "HostConfig.Memory". */
int take_string(const json_t *value, const char *field, char **slot, struct bh_error *error);
int take_bool(const json_t *value, const char *field, int *slot, struct bh_error *error);
int take_int(const json_t *value, const char *field, int64_t min, int64_t max, int64_t *slot, struct bh_error *error);
int take_strings(const json_t *value, const char *field, size_t *n_slot, char ***slot, struct bh_error *error);
/* An array of strings or, as Docker allows for Cmd and Entrypoint, one string. */
int take_words(const json_t *value, const char *field, size_t *n_slot, char ***slot, struct bh_error *error);
/* An object of strings. */
int take_map(const json_t *value, const char *field, size_t *n_slot, Bulkhead__KeyValue ***slot,
             struct bh_error *error);
/* The keys of an object of empty objects, as ExposedPorts and Volumes are. */
int take_keys(const json_t *value, const char *field, size_t *n_slot, char ***slot, struct bh_error *error);

/* [height, width] of a terminal. */
int take_console_size(const json_t *value, const char *field, uint32_t *ret_rows, uint32_t *ret_columns,
                      struct bh_error *error);

int out_of_memory(struct bh_error *error);

static inline void json_cleanup(json_t **value)
{
    json_decref(*value);
}
#define auto_json __attribute__((cleanup(json_cleanup))) json_t
