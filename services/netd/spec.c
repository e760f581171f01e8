/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and networks; see spec.h. What is linked to them is in spec_endpoint.c.
 */
#include "spec.h"

#include <stdio.h>
#include <string.h>

#define MTU_MIN 68 /* RFC 791; with IPv6 its own minimum is asked for */
#define MTU_MAX 65535

const char *spec_id_text(const uint8_t *id, size_t n_bytes, char text[static SPEC_ID_TEXT_SIZE])
{
    text[0] = '\0';
    for (size_t i = 0; i < n_bytes && i < NETD_ID_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", id[i]);
    }
    return text;
}

int spec_read_id(const ProtobufCBinaryData *field, const char *what, const uint8_t **ret_id, struct bh_error *error)
{
    if (field->len != NETD_ID_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the id of %s has %zu bytes, not %d", what, field->len,
                            NETD_ID_BYTES);
    }
    *ret_id = field->data;
    return 0;
}

int spec_check_link_name(const char *name, const char *what, struct bh_error *error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t length = strspn(name, allowed);
    if (length == 0 || length >= IFNAMSIZ || name[length] != '\0' || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0 || strcmp(name, "lo") == 0 || strcmp(name, "all") == 0 ||
        strcmp(name, "default") == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "%s \"%s\" must be 1 to %d letters, digits, dots, hyphens or underscores, and none of lo, "
                            "all, default",
                            what, name, IFNAMSIZ - 1);
    }
    return 0;
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

static int read_gateway(const ProtobufCBinaryData *field, struct subnet *subnet, const char *name,
                        struct bh_error *error)
{
    char text[IP_SUBNET_TEXT_SIZE], whole[IP_SUBNET_TEXT_SIZE];
    struct ip first, last;
    if (field->len == 0) {
        return 0;
    }
    if (!ip_read(field->data, field->len, &subnet->gateway) || subnet->gateway.n_bytes != subnet->range.ip.n_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the gateway of network \"%s\" has %zu bytes", name,
                            field->len);
    }
    first = ip_first(&subnet->range);
    last = ip_last(&subnet->range);
    if (!ip_subnet_contains(&subnet->range, &subnet->gateway) || ip_equal(&subnet->gateway, &first) ||
        (ip_family(&subnet->range.ip) == IPV4 && ip_equal(&subnet->gateway, &last))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "gateway %s of network \"%s\" is no host's address in %s",
                            ip_text(&subnet->gateway, text), name, ip_subnet_text(&subnet->range, whole));
    }
    return 0;
}

static int read_subnet(const Bulkhead__Subnet *message, struct network *network, struct bh_error *error)
{
    static const uint32_t longest[FAMILIES] = {30, 126}, shortest[FAMILIES] = {8, 16};
    char text[IP_SUBNET_TEXT_SIZE];
    struct subnet subnet = {.range.prefix = message->prefix};
    if (!ip_read(message->address.data, message->address.len, &subnet.range.ip)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a subnet of network \"%s\" has an address of %zu bytes",
                            network->name, message->address.len);
    }
    enum family family = ip_family(&subnet.range.ip);
    (void)ip_subnet_text(&subnet.range, text);
    if (network->subnets[family].range.ip.n_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "network \"%s\" has two subnets of one family", network->name);
    }
    if (subnet.range.prefix > longest[family] || subnet.range.prefix < shortest[family]) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "subnet %s of network \"%s\" must have a prefix from %u to %u",
                            text, network->name, shortest[family], longest[family]);
    }
    if (!ip_subnet_is_whole(&subnet.range)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "subnet %s of network \"%s\" has bits set behind its prefix",
                            text, network->name);
    }
    if (ip_is_special(&subnet.range.ip)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "subnet %s of network \"%s\" is kept for hosts themselves, single links or groups", text,
                            network->name);
    }
    if (read_gateway(&message->gateway, &subnet, network->name, error) < 0) {
        return -1;
    }
    network->subnets[family] = subnet;
    return 0;
}

static int read_bridge(const Bulkhead__NetworkSpec *spec, const char *prefix, struct network *network,
                       struct bh_error *error)
{
    if (*spec->parent || spec->macvlan_mode != BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_UNSPECIFIED) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bridge network \"%s\" has a parent", network->name);
    }
    if (*spec->bridge_name) {
        if (spec_check_link_name(spec->bridge_name, "bridge name", error) < 0) {
            return -1;
        }
        (void)snprintf(network->link, sizeof(network->link), "%s", spec->bridge_name);
    } else {
        char text[SPEC_ID_TEXT_SIZE];
        (void)snprintf(network->link, sizeof(network->link), "%s-%.12s", prefix, spec_id_text(network->id, 6, text));
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct subnet *subnet = &network->subnets[family];
        if (subnet->range.ip.n_bytes && !subnet->gateway.n_bytes && !network->internal) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "network \"%s\" needs a gateway in each subnet",
                                network->name);
        }
    }
    return 0;
}

static int read_macvlan(const Bulkhead__NetworkSpec *spec, struct network *network, struct bh_error *error)
{
    if (*spec->bridge_name || spec->isolated) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "macvlan network \"%s\" has options of a bridge",
                            network->name);
    }
    if (spec->macvlan_mode == BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_UNSPECIFIED) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "macvlan network \"%s\" needs a mode", network->name);
    }
    network->mode = spec->macvlan_mode;
    (void)snprintf(network->parent, sizeof(network->parent), "%s", spec->parent);
    return spec_check_link_name(spec->parent, "parent", error);
}

int spec_read_network(const Bulkhead__NetworkSpec *spec, const char *prefix, struct network *ret_network,
                      struct bh_error *error)
{
    struct network network = {.tenant_uid = spec->tenant_uid,
                              .driver = spec->driver,
                              .internal = spec->internal,
                              .isolated = spec->isolated,
                              .masquerade = spec->masquerade,
                              .mtu = spec->mtu};
    const uint8_t *id;
    if (spec_read_id(&spec->id, "a network", &id, error) < 0) {
        return -1;
    }
    memcpy(network.id, id, sizeof(network.id));
    if (!*spec->name || strlen(spec->name) >= sizeof(network.name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a network's name must have 1 to %zu bytes",
                            sizeof(network.name) - 1);
    }
    memcpy(network.name, spec->name, strlen(spec->name) + 1);
    for (size_t i = 0; i < spec->n_subnets; i++) {
        if (read_subnet(spec->subnets[i], &network, error) < 0) {
            return -1;
        }
    }
    if (spec->n_subnets == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "network \"%s\" has no subnet", network.name);
    }
    uint32_t mtu_min = network.subnets[IPV6].range.ip.n_bytes ? 1280 : MTU_MIN;
    if (spec->mtu && (spec->mtu < mtu_min || spec->mtu > MTU_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "MTU %u of network \"%s\" must be from %u to %u", spec->mtu,
                            network.name, mtu_min, MTU_MAX);
    }
    int result = spec->driver == BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE
                     ? read_bridge(spec, prefix, &network, error)
                     : read_macvlan(spec, &network, error);
    if (result == 0) {
        *ret_network = network;
    }
    return result;
}

static bool same_subnet(const struct subnet *a, const struct subnet *b)
{
    return a->range.prefix == b->range.prefix && ip_equal(&a->range.ip, &b->range.ip) &&
           ip_equal(&a->gateway, &b->gateway);
}

bool spec_same_network(const struct network *a, const struct network *b)
{
    return memcmp(a->id, b->id, sizeof(a->id)) == 0 && a->tenant_uid == b->tenant_uid && a->driver == b->driver &&
           same_subnet(&a->subnets[IPV4], &b->subnets[IPV4]) && same_subnet(&a->subnets[IPV6], &b->subnets[IPV6]) &&
           a->internal == b->internal && a->isolated == b->isolated && a->masquerade == b->masquerade &&
           a->mtu == b->mtu && a->mode == b->mode && strcmp(a->link, b->link) == 0 && strcmp(a->parent, b->parent) == 0;
}
