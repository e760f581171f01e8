/* SPDX-License-Identifier: Apache-2.0
 *
 * Endpoints and published ports; see spec.h.
 */
#include <stdio.h>
#include <string.h>

#include "spec.h"

/* An address that a host of the subnet may have. */
static int read_address(const ProtobufCBinaryData *field, enum family family, struct endpoint *endpoint,
                        struct bh_error *error)
{
    char text[IP_SUBNET_TEXT_SIZE], whole[IP_SUBNET_TEXT_SIZE];
    struct ip *address = &endpoint->addresses[family], first, last;
    const struct network *network = endpoint->network;
    const struct subnet *subnet = &network->subnets[family];
    if (field->len == 0) {
        return 0;
    }
    if (!ip_read(field->data, field->len, address) || ip_family(address) != family) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an endpoint's IPv%c address has %zu bytes",
                            family == IPV4 ? '4' : '6', field->len);
    }
    (void)ip_text(address, text);
    if (!subnet->range.ip.n_bytes || !ip_subnet_contains(&subnet->range, address)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "address %s is in no subnet of network \"%s\"", text,
                            network->name);
    }
    first = ip_first(&subnet->range);
    last = ip_last(&subnet->range);
    if (ip_equal(address, &first) || (family == IPV4 && ip_equal(address, &last)) ||
        ip_equal(address, &subnet->gateway)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "address %s is kept for network \"%s\" itself (%s)", text,
                            network->name, ip_subnet_text(&subnet->range, whole));
    }
    return 0;
}

int spec_read_endpoint(const struct netd *netd, const Bulkhead__Endpoint *message, uint32_t tenant_uid,
                       struct endpoint *ret_endpoint, struct bh_error *error)
{
    struct endpoint endpoint = {.inside = -1};
    const uint8_t *id, *network;
    char text[SPEC_ID_TEXT_SIZE];
    if (spec_read_id(&message->id, "an endpoint", &id, error) < 0 ||
        spec_read_id(&message->network, "an endpoint's network", &network, error) < 0) {
        return -1;
    }
    memcpy(endpoint.id, id, sizeof(endpoint.id));
    endpoint.network = netd_find_network(netd, network);
    if (!endpoint.network) {
        return bh_error_set(error, BH_NOT_FOUND, "network %.12s has not been made", spec_id_text(network, 6, text));
    }
    if (endpoint.network->tenant_uid != tenant_uid) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "network \"%s\" is not of tenant %u", endpoint.network->name,
                            tenant_uid);
    }
    if (message->mac.len != sizeof(endpoint.mac) || (message->mac.data[0] & 1) ||
        memcmp(message->mac.data, endpoint.mac, sizeof(endpoint.mac)) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an endpoint's MAC address must be 6 bytes of one station");
    }
    memcpy(endpoint.mac, message->mac.data, sizeof(endpoint.mac));
    if (spec_check_link_name(message->interface_name, "interface name", error) < 0 ||
        read_address(&message->address4, IPV4, &endpoint, error) < 0 ||
        read_address(&message->address6, IPV6, &endpoint, error) < 0) {
        return -1;
    }
    if (!message->address4.len && !message->address6.len) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "endpoint \"%s\" has no address", message->interface_name);
    }
    (void)snprintf(endpoint.interface, sizeof(endpoint.interface), "%s", message->interface_name);
    endpoint.default_route[IPV4] = message->default_route4;
    endpoint.default_route[IPV6] = message->default_route6;
    for (enum family family = IPV4; family < FAMILIES; family++) {
        if (endpoint.default_route[family] &&
            (!endpoint.addresses[family].n_bytes || !endpoint.network->subnets[family].gateway.n_bytes)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "network \"%s\" has no gateway for a default route",
                                endpoint.network->name);
        }
    }
    *ret_endpoint = endpoint;
    return 0;
}

int spec_read_port(const Bulkhead__PublishedPort *message, struct port_wish *ret_wish, struct bh_error *error)
{
    struct port_wish wish = {.transport = message->transport, .everywhere = true};
    if (message->container_port == 0 || message->container_port > UINT16_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "port %u of a container must be from 1 to 65535",
                            message->container_port);
    }
    if (message->first_host_port == 0 || message->last_host_port > UINT16_MAX ||
        message->first_host_port > message->last_host_port) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "ports %u to %u of the host must be from 1 to 65535",
                            message->first_host_port, message->last_host_port);
    }
    wish.container_port = (uint16_t)message->container_port;
    wish.first = (uint16_t)message->first_host_port;
    wish.last = (uint16_t)message->last_host_port;
    if (message->host_address.len) {
        if (!ip_read(message->host_address.data, message->host_address.len, &wish.host)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "an address of the host has %zu bytes",
                                message->host_address.len);
        }
        static const struct ip loopback6 = {{[15] = 1}, 16};
        if (ip_equal(&wish.host, &loopback6)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "port %u cannot be published on ::1, which no container can answer: use 127.0.0.1",
                                wish.first);
        }
        wish.everywhere = ip_is_zero(&wish.host);
    }
    *ret_wish = wish;
    return 0;
}
