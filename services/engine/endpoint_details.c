/* SPDX-License-Identifier: Apache-2.0
 *
 * See endpoint_details.h.
 */
#include "services/engine/endpoint_details.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/containers.h"
#include "services/engine/database_endpoints.h"
#include "services/engine/network_ranges.h"
#include "services/engine/networks.h"

void endpoint_details_free(struct endpoint_details *details)
{
    for (size_t i = 0; details->networks && i < details->n_endpoints; i++) {
        network_row_clear(&details->networks[i]);
    }
    endpoint_rows_free(details->rows, details->n_rows);
    if (details->attachment) {
        bulkhead__attachment__free_unpacked(details->attachment, NULL);
    }
    free(details->networks);
    free(details->endpoints);
    free(details->array);
}

/* What the container has of this network now; NULL: nothing. */
static Bulkhead__Endpoint *find_endpoint(const struct endpoint_details *details, const struct network_row *network)
{
    for (size_t i = 0; i < details->n_rows; i++) {
        Bulkhead__Endpoint *endpoint = details->rows[i].endpoint;
        if (network->request && memcmp(endpoint->network.data, network->id, sizeof network->id) == 0) {
            return endpoint;
        }
    }
    return NULL;
}

/* The network as it is, if it is there. */
static int find_network(struct job *job, const struct container_row *row, const Bulkhead__EndpointRequest *request,
                        struct network_row *ret_network, struct bh_error *error)
{
    return request->network_id.len == ENGINE_ID_BYTES
               ? database_network(job->engine->database, request->network_id.data, ret_network, error)
               : database_find_network(job->engine->database, row->tenant_uid, request->network, ret_network, error);
}

static void fill(const struct endpoint_details *details, const struct network_row *network,
                 Bulkhead__EndpointRequest *request, Bulkhead__EndpointDetails *ret_details)
{
    bulkhead__endpoint_details__init(ret_details);
    ret_details->request = request;
    ret_details->endpoint = find_endpoint(details, network);
    if (!network->request) {
        return;
    }
    ret_details->user_defined = !network->fixed;
    const Bulkhead__AddressRange *four = range_of_family(network->request, 4);
    const Bulkhead__AddressRange *six = range_of_family(network->request, 16);
    ret_details->prefix4 = four ? four->prefix : 0;
    ret_details->prefix6 = six ? six->prefix : 0;
    if (four && !network->request->internal) {
        ret_details->gateway4 = four->gateway;
    }
    if (six && !network->request->internal) {
        ret_details->gateway6 = six->gateway;
    }
}

int endpoint_details_read(struct job *job, const struct container_row *row, struct endpoint_details *details,
                          struct bh_error *error)
{
    const size_t n = row->request->n_endpoints;
    details->networks = calloc(n + 1, sizeof *details->networks);
    details->array = calloc(n + 1, sizeof *details->array);
    details->endpoints = calloc(n + 1, sizeof(Bulkhead__EndpointDetails *));
    if (!details->networks || !details->array || !details->endpoints) {
        return bh_error_errno(error, ENOMEM, "list a container's networks");
    }
    if (container_runs(&row->state) &&
        (database_container_endpoints(job->engine->database, row->id, &details->rows, &details->n_rows, error) < 0 ||
         database_attachment(job->engine->database, row->id, &details->attachment, error) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        Bulkhead__EndpointRequest *request = row->request->endpoints[i];
        struct network_row *network = &details->networks[details->n_endpoints++];
        if (find_network(job, row, request, network, error) < 0) {
            return -1;
        }
        fill(details, network, request, &details->array[i]);
        details->endpoints[i] = &details->array[i];
    }
    if (details->attachment) {
        details->ports = details->attachment->ports;
        details->n_ports = details->attachment->n_ports;
    }
    return 0;
}
