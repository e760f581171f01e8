/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks, and what containers have of them; see network_json.h.
 */
#include "network_json.h"

#include <stdio.h>
#include <string.h>

#include "common/ip.h"
#include "json_types.h"
#include "ports_json.h"

#define SHORT_ID_DIGITS 12
#define DNS_NAMES_SINCE 45 /* before, the short id was told among the aliases */

/* ---- addresses ----------------------------------------------------------------------------------- */

static void write_ip(struct json_writer *writer, const char *key, const ProtobufCBinaryData *bytes)
{
    char text[IP_TEXT_SIZE];
    const struct ip ip = ip_from_bytes(bytes->data, bytes->len);
    write_string(writer, key, ip_text(&ip, text));
}

static void write_subnet(struct json_writer *writer, const char *key, const ProtobufCBinaryData *bytes, uint32_t prefix)
{
    char text[IP_SUBNET_TEXT_SIZE];
    const struct ip_subnet subnet = {.ip = ip_from_bytes(bytes->data, bytes->len), .prefix = prefix};
    write_string(writer, key, ip_subnet_text(&subnet, text));
}

static void write_mac(struct json_writer *writer, const ProtobufCBinaryData *mac)
{
    if (mac->len != 6) {
        write_string(writer, "MacAddress", "");
        return;
    }
    write_format(writer, "MacAddress", "%02x:%02x:%02x:%02x:%02x:%02x", mac->data[0], mac->data[1], mac->data[2],
                 mac->data[3], mac->data[4], mac->data[5]);
}

/* ---- networks ------------------------------------------------------------------------------------ */

static void write_range(struct json_writer *writer, const Bulkhead__AddressRange *range)
{
    write_object(writer, NULL);
    write_subnet(writer, "Subnet", &range->subnet, range->prefix);
    if (range->range.len > 0) {
        write_subnet(writer, "IPRange", &range->range, range->range_prefix);
    }
    if (range->gateway.len > 0) {
        write_ip(writer, "Gateway", &range->gateway);
    }
    if (range->n_auxiliary > 0) {
        write_object(writer, "AuxiliaryAddresses");
        for (size_t i = 0; i < range->n_auxiliary; i++) {
            write_ip(writer, range->auxiliary[i]->name, &range->auxiliary[i]->address);
        }
        write_object_end(writer);
    }
    write_object_end(writer);
}

static void write_ipam(struct json_writer *writer, const Bulkhead__NetworkRequest *request)
{
    write_object(writer, "IPAM");
    write_string(writer, "Driver", "default");
    if (request->ipam_options_set) {
        write_map(writer, "Options", request->ipam_options, request->n_ipam_options);
    } else {
        write_null(writer, "Options");
    }
    write_array(writer, "Config");
    for (size_t i = 0; i < request->n_ranges; i++) {
        write_range(writer, request->ranges[i]);
    }
    write_array_end(writer);
    write_object_end(writer);
}

static struct ip_subnet address_in(const ProtobufCBinaryData *address, const Bulkhead__NetworkRequest *network)
{
    struct ip_subnet subnet = {.ip = ip_from_bytes(address->data, address->len)};
    for (size_t i = 0; i < network->n_ranges; i++) {
        if (network->ranges[i]->subnet.len == address->len) {
            subnet.prefix = network->ranges[i]->prefix;
        }
    }
    return subnet;
}

static void write_member(struct json_writer *writer, const Bulkhead__NetworkMember *member,
                         const Bulkhead__NetworkRequest *network)
{
    char id[65], text[IP_SUBNET_TEXT_SIZE];
    const struct ip_subnet four = address_in(&member->endpoint->address4, network);
    const struct ip_subnet six = address_in(&member->endpoint->address6, network);
    write_object(writer, id_hex(&member->container, id));
    write_string(writer, "Name", member->name);
    write_string(writer, "EndpointID", id_hex(&member->endpoint->id, id));
    write_mac(writer, &member->endpoint->mac);
    write_string(writer, "IPv4Address", ip_subnet_text(&four, text));
    write_string(writer, "IPv6Address", ip_subnet_text(&six, text));
    write_object_end(writer);
}

void write_network(struct json_writer *writer, const Bulkhead__NetworkDetails *network)
{
    char id[65];
    const Bulkhead__NetworkRequest *request = network->request;
    write_object(writer, NULL);
    write_string(writer, "Name", request->name);
    write_string(writer, "Id", id_hex(&network->id, id));
    write_time(writer, "Created", network->created_ns);
    write_string(writer, "Scope", "local");
    write_string(writer, "Driver", request->driver);
    write_bool(writer, "EnableIPv4", request->ipv4);
    write_bool(writer, "EnableIPv6", request->ipv6);
    write_ipam(writer, request);
    write_bool(writer, "Internal", request->internal);
    write_bool(writer, "Attachable", request->attachable);
    write_bool(writer, "Ingress", false);
    write_object(writer, "ConfigFrom");
    write_string(writer, "Network", "");
    write_object_end(writer);
    write_bool(writer, "ConfigOnly", false);
    write_object(writer, "Containers");
    for (size_t i = 0; i < network->n_members; i++) {
        if (network->members[i]->endpoint) {
            write_member(writer, network->members[i], request);
        }
    }
    write_object_end(writer);
    write_map(writer, "Options", request->options, request->n_options);
    write_map(writer, "Labels", request->labels, request->n_labels);
    write_object_end(writer);
}

/* ---- endpoints ----------------------------------------------------------------------------------- */

static void write_aliases(struct json_writer *writer, const Bulkhead__EndpointRequest *request, const char *short_id)
{
    if (!short_id) {
        write_strings(writer, "Aliases", request->aliases, request->n_aliases, true);
        return;
    }
    write_array(writer, "Aliases");
    for (size_t i = 0; i < request->n_aliases; i++) {
        write_string(writer, NULL, request->aliases[i]);
    }
    write_string(writer, NULL, short_id);
    write_array_end(writer);
}

static void write_wish(struct json_writer *writer, const Bulkhead__EndpointRequest *request, const char *short_id)
{
    if (!request->ipam_set) {
        write_null(writer, "IPAMConfig");
    } else {
        write_object(writer, "IPAMConfig");
        if (request->address4[0]) {
            write_string(writer, "IPv4Address", request->address4);
        }
        if (request->address6[0]) {
            write_string(writer, "IPv6Address", request->address6);
        }
        if (request->n_link_local > 0) {
            write_strings(writer, "LinkLocalIPs", request->link_local, request->n_link_local, false);
        }
        write_object_end(writer);
    }
    write_strings(writer, "Links", request->links, request->n_links, true);
    write_aliases(writer, request, short_id);
    if (request->driver_options_set) {
        write_map(writer, "DriverOpts", request->driver_options, request->n_driver_options);
    } else {
        write_null(writer, "DriverOpts");
    }
    write_int(writer, "GwPriority", request->gateway_priority);
}

/* Addresses of an endpoint; empty if it is none. NetworkSettings has the same ones of the default network. */
static void write_addresses(struct json_writer *writer, const Bulkhead__EndpointDetails *details)
{
    static const Bulkhead__Endpoint none = BULKHEAD__ENDPOINT__INIT;
    static const ProtobufCBinaryData empty = {0};
    char id[65];
    const Bulkhead__Endpoint *endpoint = details && details->endpoint ? details->endpoint : &none;
    const bool four = endpoint->address4.len > 0, six = endpoint->address6.len > 0;
    write_string(writer, "EndpointID", id_hex(&endpoint->id, id));
    write_ip(writer, "Gateway", four ? &details->gateway4 : &empty);
    write_ip(writer, "GlobalIPv6Address", &endpoint->address6);
    write_uint(writer, "GlobalIPv6PrefixLen", six ? details->prefix6 : 0);
    write_ip(writer, "IPAddress", &endpoint->address4);
    write_uint(writer, "IPPrefixLen", four ? details->prefix4 : 0);
    write_ip(writer, "IPv6Gateway", six ? &details->gateway6 : &empty);
    write_mac(writer, &endpoint->mac);
}

static void write_names(struct json_writer *writer, const Bulkhead__EndpointDetails *details)
{
    const Bulkhead__Endpoint *endpoint = details->endpoint;
    if (!details->user_defined || !endpoint) {
        write_null(writer, "DNSNames");
        return;
    }
    write_strings(writer, "DNSNames", endpoint->names, endpoint->n_names, true);
}

void write_endpoints(struct json_writer *writer, Bulkhead__EndpointDetails *const *endpoints, size_t n_endpoints,
                     const char *short_id)
{
    char id[65];
    write_object(writer, "Networks");
    for (size_t i = 0; i < n_endpoints; i++) {
        const Bulkhead__EndpointDetails *details = endpoints[i];
        write_object(writer, details->request->network);
        write_wish(writer, details->request, details->user_defined ? short_id : NULL);
        write_string(writer, "NetworkID", id_hex(&details->request->network_id, id));
        write_addresses(writer, details);
        write_names(writer, details);
        write_object_end(writer);
    }
    write_object_end(writer);
}

/* The old fields of NetworkSettings are those of the default network alone. */
static const Bulkhead__EndpointDetails *find_default(const Bulkhead__ContainerDetails *details)
{
    for (size_t i = 0; i < details->n_endpoints; i++) {
        if (strcmp(details->endpoints[i]->request->network, "bridge") == 0) {
            return details->endpoints[i];
        }
    }
    return NULL;
}

void write_network_settings(struct json_writer *writer, const Bulkhead__ContainerDetails *details, unsigned version)
{
    const int pid = details->state->pid;
    char id[65] = "", key[32] = "";
    if (pid > 0 && details->n_endpoints > 0) { /* the namespace has no id but its first process's */
        (void)id_hex(&details->id, id);
        (void)snprintf(key, sizeof key, "/proc/%d/ns/net", pid);
    }
    write_object(writer, "NetworkSettings");
    write_string(writer, "Bridge", "");
    write_string(writer, "SandboxID", id);
    write_string(writer, "SandboxKey", key);
    write_inspect_ports(writer, details);
    write_bool(writer, "HairpinMode", false);
    write_string(writer, "LinkLocalIPv6Address", "");
    write_int(writer, "LinkLocalIPv6PrefixLen", 0);
    write_null(writer, "SecondaryIPAddresses");
    write_null(writer, "SecondaryIPv6Addresses");
    write_addresses(writer, find_default(details));
    char whole[65], short_id[SHORT_ID_DIGITS + 1];
    (void)snprintf(short_id, sizeof short_id, "%.*s", SHORT_ID_DIGITS, id_hex(&details->id, whole));
    write_endpoints(writer, details->endpoints, details->n_endpoints, version < DNS_NAMES_SINCE ? short_id : NULL);
    write_object_end(writer);
}
