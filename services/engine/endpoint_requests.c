/* SPDX-License-Identifier: Apache-2.0
 *
 * See endpoint_requests.h.
 */
#include "services/engine/endpoint_requests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/limits.h"
#include "services/engine/network_ranges.h"
#include "services/engine/networks.h"

const char *endpoint_network_of_mode(const char *network_mode)
{
    return network_mode[0] == '\0' || strcmp(network_mode, "default") == 0 ? NETWORK_DEFAULT : network_mode;
}

size_t endpoint_request_find(const Bulkhead__ContainerRequest *request, const uint8_t *network_id, const char *name)
{
    size_t i = 0;
    for (; i < request->n_endpoints; i++) {
        const Bulkhead__EndpointRequest *endpoint = request->endpoints[i];
        bool same = network_id && endpoint->network_id.len > 0
                        ? memcmp(endpoint->network_id.data, network_id, endpoint->network_id.len) == 0
                        : strcmp(endpoint_network_of_mode(endpoint->network), name) == 0;
        if (same) {
            break;
        }
    }
    return i;
}

int endpoint_request_add(Bulkhead__ContainerRequest *request, const Bulkhead__EndpointRequest *more,
                         struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    if (request->n_endpoints >= BH_ENDPOINTS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a container can be linked to at most %d networks",
                            BH_ENDPOINTS_MAX);
    }
    Bulkhead__EndpointRequest **larger = reallocarray(request->endpoints, request->n_endpoints + 1, sizeof *larger);
    if (!larger) {
        return bh_error_errno(error, ENOMEM, "list a container's networks");
    }
    request->endpoints = larger;
    if (message_copy(&more->base, &copy, error) < 0) {
        return -1;
    }
    request->endpoints[request->n_endpoints++] = (Bulkhead__EndpointRequest *)copy;
    return 0;
}

void endpoint_request_remove(Bulkhead__ContainerRequest *request, size_t index)
{
    bulkhead__endpoint_request__free_unpacked(request->endpoints[index], NULL);
    request->n_endpoints--;
    memmove(&request->endpoints[index], &request->endpoints[index + 1],
            (request->n_endpoints - index) * sizeof *request->endpoints);
}

static void move_to_front(Bulkhead__ContainerRequest *request, size_t index)
{
    Bulkhead__EndpointRequest *moved = request->endpoints[index];
    memmove(&request->endpoints[1], &request->endpoints[0], index * sizeof *request->endpoints);
    request->endpoints[0] = moved;
}

int endpoint_requests_complete(Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    const char *mode = endpoint_network_of_mode(request->network_mode);
    if (request->network_disabled && request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) {
        request->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    }
    if (request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED || request->network_disabled) {
        return request->n_endpoints == 0
                   ? 0
                   : bh_error_set(error, BH_INVALID_ARGUMENT,
                                  "container sharing network namespace with another container or host cannot be "
                                  "connected to any other network");
    }
    size_t index = endpoint_request_find(request, NULL, mode);
    if (index == request->n_endpoints) {
        Bulkhead__EndpointRequest own = BULKHEAD__ENDPOINT_REQUEST__INIT;
        own.network = (char *)(uintptr_t)mode;
        if (endpoint_request_add(request, &own, error) < 0) {
            return -1;
        }
    }
    move_to_front(request, index);
    if (request->n_endpoints > 1 && request->network != BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "conflicting options: cannot attach both user-defined and non-user-defined network-modes");
    }
    Bulkhead__EndpointRequest *first = request->endpoints[0];
    if (request->mac_address[0] && first->mac_address[0] && strcmp(request->mac_address, first->mac_address) != 0) {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "conflicting MAC addresses: the container-wide MAC address must match the endpoint-specific "
            "MAC address for the main network, or be left empty");
    }
    return string_set(&first->network, mode, error) < 0 ||
                   (request->mac_address[0] && string_set(&first->mac_address, request->mac_address, error) < 0)
               ? -1
               : 0;
}

/* An address may be asked for where the network's own creator has chosen the subnet. */
static int check_address(const char *address, size_t n_bytes, const struct network_row *network, struct bh_error *error)
{
    const Bulkhead__AddressRange *range = range_of_family(network->request, n_bytes);
    if (!address[0]) {
        return 0;
    }
    if (network->fixed) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "user specified IP address is supported on user defined networks only");
    }
    return range && !range->chosen ? 0
                                   : bh_error_set(error, BH_INVALID_ARGUMENT,
                                                  "user specified IP address is supported only when connecting to "
                                                  "networks with user configured subnets");
}

int endpoint_request_check(const Bulkhead__EndpointRequest *request, const struct network_row *network,
                           struct bh_error *error)
{
    if (network->fixed && request->n_aliases > 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "network-scoped alias is supported only for containers in user defined networks");
    }
    if (request->n_aliases > BH_ENDPOINT_NAMES_MAX || request->n_links > BH_ENDPOINT_NAMES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an endpoint can have at most %d aliases, and as many links",
                            BH_ENDPOINT_NAMES_MAX);
    }
    return check_address(request->address4, 4, network, error) < 0
               ? -1
               : check_address(request->address6, 16, network, error);
}
