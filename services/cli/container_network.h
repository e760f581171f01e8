/* SPDX-License-Identifier: Apache-2.0
 *
 * What --network and its relatives say, in the create request.
 */
#pragma once

#include <jansson.h>

#include "container_options.h"

/* Sets HostConfig.NetworkMode, NetworkingConfig, ports, links and the like. */
int container_network_add(json_t *request, json_t *host, const struct container_options *options,
                          struct bh_error *error);
