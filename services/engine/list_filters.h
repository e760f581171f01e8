/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters of `ps` that look at one thing of a container each: ports, networks, mounts. Pure. Values come from clients.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"

/* Whether any value is "80", "80/udp" or "8000-8010/tcp" and one of `ports` ("80/tcp") lies in it. */
bool list_filter_ports(const Bulkhead__Filter *filter, char *const *ports, size_t n_ports);
/* INVALID_ARGUMENT for a value that is no port. */
int list_filter_check_ports(const Bulkhead__Filter *filter, struct bh_error *error);

/* Whether any value is the name or the id of one of the container's networks, or the start of an id. */
bool list_filter_network(const Bulkhead__Filter *filter, Bulkhead__EndpointRequest *const *endpoints,
                         size_t n_endpoints);

/* Whether any value is a mount's target or source. */
bool list_filter_volume(const Bulkhead__Filter *filter, Bulkhead__Mount *const *mounts, size_t n_mounts);

/* INVALID_ARGUMENT for what is no regular expression. */
int list_filter_check_names(const Bulkhead__Filter *filter, struct bh_error *error);
