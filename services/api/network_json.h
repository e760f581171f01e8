/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks, endpoints and ports as Docker writes them in JSON.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

/* One network, with the containers that are linked to it. */
void write_network(struct json_writer *writer, const Bulkhead__NetworkDetails *network);

/* "Networks": an object of EndpointSettings by the networks' names. `short_id` is one more alias in the networks that
 * users made; NULL: none. */
void write_endpoints(struct json_writer *writer, Bulkhead__EndpointDetails *const *endpoints, size_t n_endpoints,
                     const char *short_id);
/* NetworkSettings of inspect, as that version of the API (its minor) has them. */
void write_network_settings(struct json_writer *writer, const Bulkhead__ContainerDetails *details, unsigned version);
