/* SPDX-License-Identifier: Apache-2.0
 *
 * See elements.h. How an element's bytes lie is what the kernel wants: each field begins at a multiple of four.
 */
#include "elements.h"

#include <netinet/in.h> /* before the kernel's own */

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

enum field { FIELD_END, FIELD_LINK, FIELD_ADDRESS, FIELD_TARGET, FIELD_MAC, FIELD_PROTOCOL, FIELD_PORT };

static const struct {
    const char *name;
    enum field key[4], data[3];
    uint8_t tables; /* mask of (1 << enum table) */
} sets[SETS] = {
#define IP_BOTH (1 << TABLE_IP | 1 << TABLE_IP6)
    [SET_BRIDGES] = {"bridges", {FIELD_LINK}, {0}, IP_BOTH},
    [SET_SAME] = {"same", {FIELD_LINK, FIELD_LINK}, {0}, IP_BOTH},
    [SET_SUBNETS] = {"subnets", {FIELD_LINK, FIELD_ADDRESS}, {0}, IP_BOTH},
    [SET_INTERNAL] = {"internal", {FIELD_LINK}, {0}, IP_BOTH},
    [SET_PLAIN] = {"plain", {FIELD_LINK}, {0}, IP_BOTH},
    [SET_PORTS] = {"ports", {FIELD_ADDRESS, FIELD_PROTOCOL, FIELD_PORT}, {FIELD_ADDRESS, FIELD_PORT}, IP_BOTH},
    [SET_PORTS_ANY] = {"ports_any", {FIELD_PROTOCOL, FIELD_PORT}, {FIELD_ADDRESS, FIELD_PORT}, IP_BOTH},
    [SET_MACS] = {"macs", {FIELD_LINK, FIELD_MAC}, {0}, 1 << TABLE_BRIDGE},
    [SET_SOURCES4] = {"sources4", {FIELD_LINK, FIELD_ADDRESS}, {0}, 1 << TABLE_BRIDGE},
    [SET_SOURCES6] = {"sources6", {FIELD_LINK, FIELD_ADDRESS}, {0}, 1 << TABLE_BRIDGE},
    [SET_TARGETS6] = {"targets6", {FIELD_LINK, FIELD_TARGET}, {0}, 1 << TABLE_BRIDGE},
};

const char *table_family_name(enum table table)
{
    static const char *const names[TABLES] = {"ip", "ip6", "bridge"};
    return names[table];
}

uint8_t table_family(enum table table)
{
    static const uint8_t families[TABLES] = {NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_BRIDGE};
    return families[table];
}

const char *set_name(enum set set)
{
    return sets[set].name;
}

bool set_is_in(enum set set, enum table table)
{
    return sets[set].tables >> table & 1;
}

bool element_same_key(const struct element *a, const struct element *b)
{
    return a->table == b->table && a->set == b->set && a->n_key == b->n_key && memcmp(a->key, b->key, a->n_key) == 0;
}

int element_compare(const void *a, const void *b)
{
    const struct element *left = a, *right = b;
    int order = (int)left->table - (int)right->table;
    order = order ? order : (int)left->set - (int)right->set;
    order = order ? order : memcmp(left->key, right->key, sizeof(left->key));
    order = order ? order : memcmp(left->key_end, right->key_end, sizeof(left->key_end));
    return order ? order : memcmp(left->data, right->data, sizeof(left->data));
}

/* ---- lists ------------------------------------------------------------------------------------------------- */

void elements_free(struct elements *elements)
{
    free(elements->list);
    *elements = (struct elements){0};
}

static struct element *append(struct elements *elements, enum table table, enum set set)
{
    if (elements->n == elements->room) {
        size_t room = elements->room ? 2 * elements->room : 16;
        struct element *list = reallocarray(elements->list, room, sizeof(*list));
        if (!list) {
            elements->failed = true;
            return NULL;
        }
        elements->list = list;
        elements->room = room;
    }
    struct element *element = &elements->list[elements->n++];
    *element = (struct element){.table = table, .set = set};
    return element;
}

void elements_append(struct elements *elements, const struct element *element)
{
    struct element *copy = append(elements, element->table, element->set);
    if (copy) {
        *copy = *element;
    }
}

static void put(uint8_t *bytes, uint8_t *n_bytes, const void *value, size_t n_value)
{
    memcpy(bytes + *n_bytes, value, n_value);
    *n_bytes = (uint8_t)(*n_bytes + (n_value + 3) / 4 * 4);
}

static void put_link(struct element *element, const char *link)
{
    put(element->key, &element->n_key, link, strlen(link)); /* the rest of IFNAMSIZ is zero */
    element->n_key = (uint8_t)((element->n_key + IFNAMSIZ - 1) / IFNAMSIZ * IFNAMSIZ);
}

static void put_port(uint8_t *bytes, uint8_t *n_bytes, uint16_t port)
{
    const uint16_t network_order = htons(port);
    put(bytes, n_bytes, &network_order, sizeof(network_order));
}

static enum table table_of(enum family family)
{
    return family == IPV4 ? TABLE_IP : TABLE_IP6;
}

/* ---- networks ---------------------------------------------------------------------------------------------- */

static void append_link(struct elements *elements, enum table table, enum set set, const char *link)
{
    struct element *element = append(elements, table, set);
    if (element) {
        put_link(element, link);
        if (set == SET_SAME) {
            put_link(element, link);
        }
    }
}

static void append_subnet(struct elements *elements, const char *link, const struct subnet *subnet)
{
    struct element *element = append(elements, table_of(ip_family(&subnet->range.ip)), SET_SUBNETS);
    if (element) {
        const struct ip last = ip_last(&subnet->range);
        put_link(element, link);
        memcpy(element->key_end, element->key, element->n_key);
        memcpy(element->key_end + element->n_key, last.bytes, last.n_bytes);
        put(element->key, &element->n_key, subnet->range.ip.bytes, subnet->range.ip.n_bytes);
        element->interval = true;
    }
}

/* Both tables know every bridge, so that what a network has no addresses for goes nowhere from it. */
void elements_of_network(const struct network *network, struct elements *elements)
{
    for (enum table table = TABLE_IP; table <= TABLE_IP6 && *network->link; table++) {
        append_link(elements, table, SET_BRIDGES, network->link);
        if (!network->isolated) {
            append_link(elements, table, SET_SAME, network->link);
        }
        if (network->internal) {
            append_link(elements, table, SET_INTERNAL, network->link);
        }
        if (!network->masquerade) {
            append_link(elements, table, SET_PLAIN, network->link);
        }
    }
    for (enum family family = IPV4; family < FAMILIES && *network->link; family++) {
        if (network->subnets[family].range.ip.n_bytes) {
            append_subnet(elements, network->link, &network->subnets[family]);
        }
    }
}

/* ---- endpoints --------------------------------------------------------------------------------------------- */

static void append_port_value(struct elements *elements, enum set set, const char *link, const void *value,
                              size_t n_value)
{
    struct element *element = append(elements, TABLE_BRIDGE, set);
    if (element) {
        put_link(element, link);
        put(element->key, &element->n_key, value, n_value);
    }
}

void elements_of_endpoint(const struct endpoint *endpoint, struct elements *elements)
{
    if (!*endpoint->link) {
        return; /* macvlan: nothing of it passes here */
    }
    append_port_value(elements, SET_MACS, endpoint->link, endpoint->mac, sizeof(endpoint->mac));
    const struct ip *address = &endpoint->addresses[IPV4];
    if (address->n_bytes) {
        append_port_value(elements, SET_SOURCES4, endpoint->link, address->bytes, address->n_bytes);
    }
    address = &endpoint->addresses[IPV6];
    if (address->n_bytes) {
        const struct ip link_local = ip_link_local(endpoint->mac);
        append_port_value(elements, SET_SOURCES6, endpoint->link, address->bytes, address->n_bytes);
        append_port_value(elements, SET_SOURCES6, endpoint->link, link_local.bytes, link_local.n_bytes);
        append_port_value(elements, SET_TARGETS6, endpoint->link, address->bytes, address->n_bytes);
        append_port_value(elements, SET_TARGETS6, endpoint->link, link_local.bytes, link_local.n_bytes);
    }
}

/* ---- ports ------------------------------------------------------------------------------------------------- */

static uint8_t protocol_number(Bulkhead__Transport transport)
{
    switch (transport) {
    case BULKHEAD__TRANSPORT__TRANSPORT_UDP:
        return IPPROTO_UDP;
    case BULKHEAD__TRANSPORT__TRANSPORT_SCTP:
        return IPPROTO_SCTP;
    default:
        return IPPROTO_TCP;
    }
}

void elements_of_port(const struct port *port, struct elements *elements)
{
    const uint8_t protocol = protocol_number(port->transport);
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct ip *to = &port->to[family];
        if (!to->n_bytes || (port->host.n_bytes && ip_family(&port->host) != family)) {
            continue;
        }
        struct element *element = append(elements, table_of(family), port->everywhere ? SET_PORTS_ANY : SET_PORTS);
        if (!element) {
            return;
        }
        if (!port->everywhere) {
            put(element->key, &element->n_key, port->host.bytes, port->host.n_bytes);
        }
        put(element->key, &element->n_key, &protocol, sizeof(protocol));
        put_port(element->key, &element->n_key, port->host_port);
        put(element->data, &element->n_data, to->bytes, to->n_bytes);
        put_port(element->data, &element->n_data, port->container_port);
    }
}

void elements_of_everything(const struct netd *netd, struct elements *elements)
{
    const struct network *network;
    LIST_FOREACH(network, &netd->networks, next)
    {
        elements_of_network(network, elements);
        const struct endpoint *endpoint;
        LIST_FOREACH(endpoint, &network->endpoints, of_network)
        {
            elements_of_endpoint(endpoint, elements);
        }
    }
    const struct container *container;
    LIST_FOREACH(container, &netd->containers, next)
    {
        for (size_t i = 0; i < container->n_ports; i++) {
            elements_of_port(&container->ports[i], elements);
        }
    }
}

/* ---- as text ----------------------------------------------------------------------------------------------- */

static bool is_ipv6(const struct element *element)
{
    return element->table == TABLE_IP6 || element->set == SET_SOURCES6;
}

static void print_address(const struct element *element, const uint8_t *bytes, FILE *stream)
{
    char text[IP_SUBNET_TEXT_SIZE];
    struct ip address;
    (void)ip_read(bytes, is_ipv6(element) ? 16 : 4, &address);
    (void)fputs(ip_text(&address, text), stream);
}

static void print_fields(const struct element *element, const enum field *fields, const uint8_t *bytes,
                         const uint8_t *ends, FILE *stream)
{
    size_t at = 0;
    for (size_t i = 0; fields[i] != FIELD_END; i++) {
        (void)fputs(i ? " . " : "", stream);
        switch (fields[i]) {
        case FIELD_LINK:
            (void)fprintf(stream, "\"%.*s\"", IFNAMSIZ, (const char *)bytes + at);
            at += IFNAMSIZ;
            break;
        case FIELD_ADDRESS:
            print_address(element, bytes + at, stream);
            if (ends && memcmp(bytes + at, ends + at, is_ipv6(element) ? 16 : 4) != 0) {
                (void)fputc('-', stream);
                print_address(element, ends + at, stream);
            }
            at += is_ipv6(element) ? 16 : 4;
            break;
        case FIELD_TARGET: /* nft knows no better type for what lies in a packet there */
            (void)fputs("0x", stream);
            for (size_t byte = 0; byte < 16; byte++) {
                (void)fprintf(stream, "%02x", bytes[at + byte]);
            }
            at += 16;
            break;
        case FIELD_MAC:
            (void)fprintf(stream, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[at], bytes[at + 1], bytes[at + 2],
                          bytes[at + 3], bytes[at + 4], bytes[at + 5]);
            at += 8;
            break;
        case FIELD_PROTOCOL:
            (void)fprintf(stream, "%u", bytes[at]);
            at += 4;
            break;
        case FIELD_PORT:
            (void)fprintf(stream, "%u", bytes[at] << 8 | bytes[at + 1]);
            at += 4;
            break;
        case FIELD_END:
            break;
        }
    }
}

void element_print(const struct element *element, FILE *stream)
{
    print_fields(element, sets[element->set].key, element->key, element->interval ? element->key_end : NULL, stream);
    if (element->n_data) {
        (void)fputs(" : ", stream);
        print_fields(element, sets[element->set].data, element->data, NULL, stream);
    }
}
