/* SPDX-License-Identifier: Apache-2.0
 *
 * --health-cmd and its relatives.
 */
#pragma once

#include <jansson.h>

#include "container_options.h"

/* Sets Healthcheck, if anything was said about it, and --health-on-failure's label. */
int container_health_add(json_t *request, const struct container_options *options, struct bh_error *error);
