/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks, endpoints and ports as Docker writes them in JSON.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

/* One network, with the containers that are linked to it. */
void write_network(struct json_writer *writer, const Bulkhead__NetworkDetails *network);

/* "Networks": an object of EndpointSettings by the networks' names. */
void write_endpoints(struct json_writer *writer, Bulkhead__EndpointDetails *const *endpoints, size_t n_endpoints);
/* NetworkSettings of inspect. */
void write_network_settings(struct json_writer *writer, const Bulkhead__ContainerDetails *details);
