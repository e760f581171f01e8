/* SPDX-License-Identifier: Apache-2.0
 *
 * See ports.h.
 */
#include "services/engine/ports.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/limits.h"

#define PORT_MAX 65535UL

static const char *const transport_words[] = {"", "tcp", "udp", "sctp"};

const char *ports_transport_word(Bulkhead__Transport transport)
{
    return (size_t)transport < sizeof transport_words / sizeof transport_words[0] ? transport_words[transport] : "";
}

static bool parse_transport(const char *word, Bulkhead__Transport *ret_transport)
{
    for (size_t i = 1; i < sizeof transport_words / sizeof transport_words[0]; i++) {
        if (strcmp(word, transport_words[i]) == 0) {
            *ret_transport = (Bulkhead__Transport)i;
            return true;
        }
    }
    return false;
}

/* "80" or "80-90"; *ret_rest is what follows. */
static bool parse_range(const char *text, uint32_t *ret_first, uint32_t *ret_last, const char **ret_rest)
{
    char *end;
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    unsigned long first = strtoul(text, &end, 10), last = first;
    if (*end == '-' && isdigit((unsigned char)end[1])) {
        last = strtoul(end + 1, &end, 10);
    }
    *ret_first = (uint32_t)first;
    *ret_last = (uint32_t)last;
    *ret_rest = end;
    return first <= last && last <= PORT_MAX;
}

bool ports_parse(const char *text, uint32_t *ret_first, uint32_t *ret_last, Bulkhead__Transport *ret_transport)
{
    const char *rest;
    *ret_transport = BULKHEAD__TRANSPORT__TRANSPORT_TCP;
    return parse_range(text, ret_first, ret_last, &rest) && *ret_first > 0 &&
           (*rest == '\0' || (*rest == '/' && parse_transport(rest + 1, ret_transport)));
}

/* ---- the list ------------------------------------------------------------------------------------ */

struct list {
    Bulkhead__PublishedPort **ports;
    size_t n_ports;
};

void ports_free(Bulkhead__PublishedPort **ports, size_t n_ports)
{
    for (size_t i = 0; i < n_ports; i++) {
        bulkhead__published_port__free_unpacked(ports[i], NULL);
    }
    free(ports);
}

static void list_free(struct list *list)
{
    ports_free(list->ports, list->n_ports);
}

static int add(struct list *list, const Bulkhead__PublishedPort *port, const struct ip *address, struct bh_error *error)
{
    if (list->n_ports >= BH_PORTS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a container can publish at most %d ports", BH_PORTS_MAX);
    }
    Bulkhead__PublishedPort **larger = reallocarray(list->ports, list->n_ports + 1, sizeof *larger);
    Bulkhead__PublishedPort *copy = larger ? malloc(sizeof *copy) : NULL;
    list->ports = larger ? larger : list->ports;
    if (!copy) {
        return bh_error_errno(error, ENOMEM, "list published ports");
    }
    *copy = *port;
    list->ports[list->n_ports++] = copy;
    return bytes_set(&copy->host_address, address->bytes, address->n_bytes, error);
}

static int add_binding(struct list *list, const Bulkhead__PortBinding *binding, const struct ip *host_binding,
                       struct bh_error *error)
{
    Bulkhead__PublishedPort port = BULKHEAD__PUBLISHED_PORT__INIT;
    struct ip address = *host_binding;
    uint32_t first, last;
    const char *rest = "";
    if (!ports_parse(binding->port, &first, &last, &port.transport)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid port specification: \"%.64s\"", binding->port);
    }
    if (binding->host_address[0] && !ip_parse(binding->host_address, &address)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid IP address: %.64s: port %s is published on it",
                            binding->host_address, binding->port);
    }
    port.first_host_port = PORT_RANDOM_FIRST;
    port.last_host_port = PORT_RANDOM_LAST;
    bool any = binding->host_port[0] == '\0' || strcmp(binding->host_port, "0") == 0;
    if (!any && (!parse_range(binding->host_port, &port.first_host_port, &port.last_host_port, &rest) || *rest ||
                 port.first_host_port == 0)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid port specification: \"%.64s\"", binding->host_port);
    }
    bool pairs = !any && last > first && last - first == port.last_host_port - port.first_host_port;
    const uint32_t first_host_port = port.first_host_port;
    for (uint32_t number = first; number <= last; number++) {
        port.container_port = number;
        if (pairs) { /* port by port */
            port.first_host_port = port.last_host_port = first_host_port + (number - first);
        }
        if (add(list, &port, &address, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static bool has_port(const struct list *list, Bulkhead__Transport transport, uint32_t number)
{
    for (size_t i = 0; i < list->n_ports; i++) {
        if (list->ports[i]->transport == transport && list->ports[i]->container_port == number) {
            return true;
        }
    }
    return false;
}

/* -P */
static int add_exposed(struct list *list, char *const *exposed, size_t n_exposed, const struct ip *host_binding,
                       struct bh_error *error)
{
    for (size_t i = 0; i < n_exposed; i++) {
        Bulkhead__PublishedPort port = BULKHEAD__PUBLISHED_PORT__INIT;
        uint32_t first, last;
        if (!ports_parse(exposed[i], &first, &last, &port.transport)) {
            continue; /* an image may expose whatever it likes */
        }
        port.first_host_port = PORT_RANDOM_FIRST;
        port.last_host_port = PORT_RANDOM_LAST;
        for (port.container_port = first; port.container_port <= last; port.container_port++) {
            if (!has_port(list, port.transport, port.container_port) && add(list, &port, host_binding, error) < 0) {
                return -1;
            }
        }
    }
    return 0;
}

static int by_port(const void *a, const void *b)
{
    const Bulkhead__PublishedPort *left = *(Bulkhead__PublishedPort *const *)a;
    const Bulkhead__PublishedPort *right = *(Bulkhead__PublishedPort *const *)b;
    int order = (int)left->container_port - (int)right->container_port;
    return order != 0 ? order : (int)left->transport - (int)right->transport;
}

int ports_read(const Bulkhead__ContainerRequest *request, char *const *image_exposed, size_t n_image_exposed,
               const struct ip *host_binding, Bulkhead__PublishedPort ***ret_ports, size_t *ret_n_ports,
               struct bh_error *error)
{
    bh_cleanup(list_free) struct list list = {0};
    for (size_t i = 0; i < request->n_port_bindings; i++) {
        if (!request->port_bindings[i]->none &&
            add_binding(&list, request->port_bindings[i], host_binding, error) < 0) {
            return -1;
        }
    }
    if (request->publish_all_ports &&
        (add_exposed(&list, request->exposed_ports, request->n_exposed_ports, host_binding, error) < 0 ||
         add_exposed(&list, image_exposed, n_image_exposed, host_binding, error) < 0)) {
        return -1;
    }
    if (list.n_ports > 0) {
        qsort(list.ports, list.n_ports, sizeof *list.ports, by_port);
    }
    *ret_n_ports = list.n_ports;
    *ret_ports = bh_steal_pointer(&list.ports);
    list.n_ports = 0;
    return 0;
}
