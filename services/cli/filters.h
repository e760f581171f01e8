/* SPDX-License-Identifier: Apache-2.0
 *
 * --filter key=value, as the API's `filters` parameter.
 */
#pragma once

#include "string_list.h"

/* Appends `filters=<JSON>` for them to `path` (replacing it); nothing if there are none. */
int filters_append(char **path, const struct strings *filters, struct bh_error *error);
