/* SPDX-License-Identifier: Apache-2.0
 *
 * Which events a client asked for, by Docker's rules. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api_engine.pb-c.h"
#include "common/error.h"

/* An unknown key is refused. */
int event_filters_check(Bulkhead__Filter *const *filters, size_t n_filters, struct bh_error *error);
bool event_filters_match(Bulkhead__Filter *const *filters, size_t n_filters, const Bulkhead__Event *event);

/* "container", "image", ...: Docker's word for a type. */
const char *event_type_name(Bulkhead__EventType type);
