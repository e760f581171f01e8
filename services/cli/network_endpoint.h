/* SPDX-License-Identifier: Apache-2.0
 *
 * How a container is connected to a network (Docker Engine API, EndpointSettings): for `network connect`, and for run's
 * --network.
 */
#pragma once

#include <jansson.h>

#include "options.h"

struct network_endpoint {
    const char *ipv4, *ipv6, *mac_address;
    struct strings aliases, driver_options, links, link_local_ips;
    struct option_integer gateway_priority;
};

/* *ret_settings is owned by the caller. */
int network_endpoint_settings(const struct network_endpoint *endpoint, json_t **ret_settings, struct bh_error *error);
