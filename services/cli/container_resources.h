/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits and devices in the requests of create and update.
 */
#pragma once

#include <jansson.h>

#include "container_options.h"

/* What both create and update take: memory, processors, processes, block IO weight. */
int container_resources_add_limits(json_t *host, const struct container_options *options, struct bh_error *error);
/* What only create takes: devices, their limits, ulimits and so on. */
int container_resources_add_devices(json_t *host, const struct container_options *options, struct bh_error *error);
