/* SPDX-License-Identifier: Apache-2.0
 *
 * What a spec says of its links and published ports, and what a network is: every number bounded, every address one
 * that a container or a network may have. See spec_check.h.
 */
#include <string.h>

#include "common/digest.h"
#include "common/limits.h"
#include "spec_check_parts.h"

#define NAME_BYTES_MAX      255U
#define LINK_NAME_BYTES_MAX 15U /* the kernel's IFNAMSIZ, without its NUL */
#define SERVERS_MAX         64U
#define MTU_MIN             68U /* IPv4's own */
#define MTU_MAX             65535U

static int wrong(struct bh_error *error, const char *what, size_t i, const char *wanted)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s %zu must have %s", what, i, wanted);
}

static bool is_id(const ProtobufCBinaryData *id)
{
    return id->len == BH_DIGEST_BYTES;
}

static bool is_same(const ProtobufCBinaryData *a, const ProtobufCBinaryData *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* What the kernel takes as a link's name, and no path, wildcard or option is. */
static bool is_link_name(const char *name)
{
    return spec_is_made_of(name, "._-", LINK_NAME_BYTES_MAX) && name[0] != '-' && name[0] != '.';
}

/* ---- addresses ------------------------------------------------------------------------------------------- */

/* Absent, or one that a host can have: not this network, loopback, multicast or reserved. */
static bool is_host_address4(const ProtobufCBinaryData *address)
{
    return address->len == 0 ||
           (address->len == 4 && address->data[0] != 0 && address->data[0] != 127 && address->data[0] < 224);
}

/* Absent, or one that a host can have: not ::, ::1 or what maps IPv4 (all begin with ten zeros), multicast or of a
 * link.
 */
static bool is_host_address6(const ProtobufCBinaryData *address)
{
    static const uint8_t zeros[10];
    return address->len == 0 ||
           (address->len == 16 && memcmp(address->data, zeros, sizeof(zeros)) != 0 && address->data[0] != 0xff &&
            !(address->data[0] == 0xfe && (address->data[1] & 0xc0) == 0x80));
}

/* That a name server or a port of the host's has; "all" among them. */
static bool is_any_address(const ProtobufCBinaryData *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return (address->len == 4 && address->data[0] < 224) ||
           (address->len == 16 && address->data[0] != 0xff && memcmp(address->data, mapped, sizeof(mapped)) != 0);
}

/* Whether the first `prefix` bits are the same. */
static bool is_in_network(const ProtobufCBinaryData *network, uint32_t prefix, const ProtobufCBinaryData *address)
{
    for (size_t bit = 0; bit < prefix; bit++) {
        uint8_t mask = (uint8_t)(0x80U >> bit % 8);
        if ((network->data[bit / 8] ^ address->data[bit / 8]) & mask) {
            return false;
        }
    }
    return true;
}

static bool has_bits_behind(const ProtobufCBinaryData *network, uint32_t prefix)
{
    for (size_t bit = prefix; bit < network->len * 8; bit++) {
        if (network->data[bit / 8] & (0x80U >> bit % 8)) {
            return true;
        }
    }
    return false;
}

/* ---- links ------------------------------------------------------------------------------------------------ */

static int check_names(const Bulkhead__Endpoint *endpoint, size_t i, struct bh_error *error)
{
    if (endpoint->n_names > BH_ENDPOINT_NAMES_MAX || endpoint->n_links > BH_ENDPOINT_NAMES_MAX) {
        return wrong(error, "link", i, "at most 64 names, and give names to at most 64 others");
    }
    for (size_t k = 0; k < endpoint->n_names; k++) {
        if (!spec_is_made_of(endpoint->names[k], "._-", NAME_BYTES_MAX)) {
            return spec_check_wrong(error, "name in a network", endpoint->names[k],
                                    "of letters, digits, dots, hyphens and underscores, at most 255");
        }
    }
    for (size_t k = 0; k < endpoint->n_links; k++) {
        const Bulkhead__EndpointLink *link = endpoint->links[k];
        if (!spec_is_made_of(link->name, "._-", NAME_BYTES_MAX) || !is_id(&link->container)) {
            return spec_check_wrong(error, "name for another container", link->name,
                                    "of letters, digits, dots, hyphens and underscores, with an id of 32 bytes");
        }
    }
    return 0;
}

static int check_endpoint(const Bulkhead__Endpoint *endpoint, size_t i, struct bh_error *error)
{
    static const uint8_t zeros[6];
    if (!is_id(&endpoint->id) || !is_id(&endpoint->network)) {
        return wrong(error, "link", i, "an id of 32 bytes, and so its network");
    }
    if (endpoint->mac.len != 6 || (endpoint->mac.data[0] & 1) || memcmp(endpoint->mac.data, zeros, 6) == 0) {
        return wrong(error, "link", i, "a MAC address of 6 bytes that is one station's");
    }
    if (!is_host_address4(&endpoint->address4) || !is_host_address6(&endpoint->address6) ||
        endpoint->address4.len + endpoint->address6.len == 0) {
        return wrong(error, "link", i, "an IPv4 or an IPv6 address, or both, that a host can have");
    }
    if ((endpoint->default_route4 && !endpoint->address4.len) ||
        (endpoint->default_route6 && !endpoint->address6.len)) {
        return wrong(error, "link", i, "an address of the family whose default route it is");
    }
    if (!is_link_name(endpoint->interface_name) || strcmp(endpoint->interface_name, "lo") == 0) {
        return spec_check_wrong(error, "name of a link", endpoint->interface_name,
                                "of letters, digits and ._-, at most 15, and not lo");
    }
    return check_names(endpoint, i, error);
}

/* What must be there once at most. */
static int check_apart(const Bulkhead__Attachment *attachment, size_t i, struct bh_error *error)
{
    const Bulkhead__Endpoint *endpoint = attachment->endpoints[i];
    for (size_t k = 0; k < i; k++) {
        const Bulkhead__Endpoint *other = attachment->endpoints[k];
        if (is_same(&endpoint->id, &other->id) || is_same(&endpoint->network, &other->network) ||
            is_same(&endpoint->mac, &other->mac) || strcmp(endpoint->interface_name, other->interface_name) == 0) {
            return wrong(error, "link", i, "an id, a network, a MAC address and a name of its own");
        }
        if ((endpoint->default_route4 && other->default_route4) ||
            (endpoint->default_route6 && other->default_route6)) {
            return wrong(error, "link", i, "no default route, since another link has it");
        }
    }
    return 0;
}

static int check_port(const Bulkhead__PublishedPort *port, size_t i, struct bh_error *error)
{
    if (port->transport == BULKHEAD__TRANSPORT__TRANSPORT_UNSPECIFIED || port->container_port == 0 ||
        port->container_port > UINT16_MAX || port->first_host_port == 0 || port->last_host_port > UINT16_MAX ||
        port->first_host_port > port->last_host_port) {
        return wrong(error, "published port", i, "a transport, a port between 1 and 65535, and a range of such ports");
    }
    return port->host_address.len == 0 || is_any_address(&port->host_address)
               ? 0
               : wrong(error, "published port", i, "no address of the host's, or one of 4 or 16 bytes");
}

int spec_check_attachment(const Bulkhead__Attachment *attachment, struct bh_error *error)
{
    if (attachment->n_endpoints > BH_ENDPOINTS_MAX || attachment->n_ports > BH_PORTS_MAX ||
        attachment->n_dns_servers > SERVERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "%zu links, %zu published ports and %zu name servers; at most %d, %d and %u",
                            attachment->n_endpoints, attachment->n_ports, attachment->n_dns_servers, BH_ENDPOINTS_MAX,
                            BH_PORTS_MAX, SERVERS_MAX);
    }
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        if (check_endpoint(attachment->endpoints[i], i, error) < 0 || check_apart(attachment, i, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < attachment->n_ports; i++) {
        if (check_port(attachment->ports[i], i, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < attachment->n_dns_servers; i++) {
        if (!is_any_address(&attachment->dns_servers[i])) {
            return wrong(error, "name server", i, "an address of 4 or 16 bytes");
        }
    }
    return 0;
}

/* ---- networks --------------------------------------------------------------------------------------------- */

bool spec_is_network_name(const char *name)
{
    return name[0] != '\0' && spec_is_plain(name, BH_NETWORK_NAME_MAX);
}

static int check_subnet(const Bulkhead__NetworkSpec *network, size_t i, struct bh_error *error)
{
    const Bulkhead__Subnet *subnet = network->subnets[i];
    const ProtobufCBinaryData *address = &subnet->address;
    if ((address->len != 4 && address->len != 16) || subnet->prefix == 0 || subnet->prefix > address->len * 8 ||
        has_bits_behind(address, subnet->prefix) || !is_any_address(address)) {
        return wrong(error, "subnet", i, "an address of 4 or 16 bytes, a prefix, and no bit set behind it");
    }
    if (subnet->gateway.len != 0 &&
        (subnet->gateway.len != address->len || !is_in_network(address, subnet->prefix, &subnet->gateway))) {
        return wrong(error, "subnet", i, "a gateway inside it, or none");
    }
    return i == 1 && address->len == network->subnets[0]->address.len
               ? wrong(error, "subnet", i, "another family than the first one")
               : 0;
}

int spec_check_network(const Bulkhead__NetworkSpec *network, struct bh_error *error)
{
    if (!network || !is_id(&network->id) || network->tenant_uid == UINT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a network is named by an id of 32 bytes and its tenant");
    }
    if (!spec_is_network_name(network->name)) {
        return spec_check_wrong(error, "network name", network->name, "one line of 1 to 255 bytes");
    }
    bool macvlan = network->driver == BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN;
    if (network->driver == BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_UNSPECIFIED || network->n_subnets > 2) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a network has a driver and at most two subnets, not %zu",
                            network->n_subnets);
    }
    for (size_t i = 0; i < network->n_subnets; i++) {
        if (check_subnet(network, i, error) < 0) {
            return -1;
        }
    }
    if (network->mtu != 0 && (network->mtu < MTU_MIN || network->mtu > MTU_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an MTU of %u must be between %u and %u, or 0", network->mtu,
                            MTU_MIN, MTU_MAX);
    }
    if (network->bridge_name[0] && (macvlan || !is_link_name(network->bridge_name))) {
        return spec_check_wrong(error, "bridge name", network->bridge_name,
                                "that of a bridge network, of letters, digits and ._-, at most 15");
    }
    if (macvlan != (network->parent[0] != '\0') || (macvlan && !is_link_name(network->parent))) {
        return spec_check_wrong(error, "parent", network->parent, "a link's name, of macvlan networks alone");
    }
    return macvlan == (network->macvlan_mode_presence_case == BULKHEAD__NETWORK_SPEC__MACVLAN_MODE_PRESENCE_MACVLAN_MODE)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "a macvlan network has a macvlan mode, and no other has");
}
