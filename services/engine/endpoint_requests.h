/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container asks of its networks (ContainerRequest.endpoints), kept in order: pure.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"

/* "default" and "" mean the default network. */
const char *endpoint_network_of_mode(const char *network_mode);

/* At create: the network that the mode names is there, and the first; the container's own MAC address is that one's.
 * INVALID_ARGUMENT where Docker's rules are hurt: a private or shared network next to another. */
int endpoint_requests_complete(Bulkhead__ContainerRequest *request, struct bh_error *error);

/* The index of the one for a network, by its id or (one that was not found yet) by its name; n_endpoints if there is
 * none. */
size_t endpoint_request_find(const Bulkhead__ContainerRequest *request, const uint8_t *network_id, const char *name);
/* Adds a copy at the end, or takes one away. */
int endpoint_request_add(Bulkhead__ContainerRequest *request, const Bulkhead__EndpointRequest *more,
                         struct bh_error *error);
void endpoint_request_remove(Bulkhead__ContainerRequest *request, size_t index);

/* Docker's rules about one endpoint of one network. INVALID_ARGUMENT. */
struct network_row;
int endpoint_request_check(const Bulkhead__EndpointRequest *request, const struct network_row *network,
                           struct bh_error *error);
