/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of a container's networks and ports: what it asks for, and while it runs, what it has.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "services/engine/database.h"
#include "services/engine/jobs.h"

struct endpoint_details {
    Bulkhead__EndpointDetails **endpoints; /* one for each of row->request->endpoints, which they borrow */
    size_t n_endpoints;
    Bulkhead__PublishedPort **ports; /* as they were taken */
    size_t n_ports;
    /* what they point to */
    Bulkhead__EndpointDetails *array;
    Bulkhead__Attachment *attachment;
    struct network_row *networks;
    struct endpoint_row *rows;
    size_t n_rows;
};
int endpoint_details_read(struct job *job, const struct container_row *row, struct endpoint_details *details,
                          struct bh_error *error);
void endpoint_details_free(struct endpoint_details *details);
#define endpoint_details_auto bh_cleanup(endpoint_details_free)
