/* SPDX-License-Identifier: Apache-2.0
 *
 * KEY=VALUE options (labels, driver options, sysctls) as an object of the API.
 */
#pragma once

#include <jansson.h>

#include "common/error.h"
#include "string_list.h"

/* object[key] = {NAME: VALUE, ...}; nothing if there are none. A pair without "=" has an empty value. */
int label_map_set(json_t *object, const char *key, const struct strings *pairs, struct bh_error *error);

/* "a=1,b=2", sorted by name: how lists show labels. A new string; NULL without memory. */
json_t *label_map_joined(const json_t *labels);
/* The same with another separator. */
json_t *label_map_joined_by(const json_t *labels, const char *separator);
