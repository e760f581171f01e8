/* SPDX-License-Identifier: Apache-2.0
 *
 * See dns_names.h. A container sees the names of the networks it is in itself and of no other. What is known here is
 * never asked outside, whatever type of record is wanted: names of containers stay on the host.
 */
#include "dns_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/cleanup.h"

#define TTL_SECONDS 60 /* a container that starts again may have another address */

struct dns_entry {
    const char *name;
    const struct dns_endpoint *endpoint;
};

/* ---- the table -------------------------------------------------------------------------------------------- */

static bool is_same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, DNS_ID_BYTES) == 0;
}

void dns_container_free(struct dns_container *container)
{
    if (!container) {
        return;
    }
    for (size_t i = 0; i < container->n_endpoints; i++) {
        struct dns_endpoint *endpoint = &container->endpoints[i];
        for (size_t j = 0; j < endpoint->n_names; j++) {
            free(endpoint->names[j]);
        }
        for (size_t j = 0; j < endpoint->n_links; j++) {
            free(endpoint->links[j].name);
        }
        free(endpoint->names);
        free(endpoint->links);
        free(endpoint->network_name);
    }
    free(container->endpoints);
    free(container);
}

struct dns_container *dns_names_find(const struct dns_names *names, const uint8_t id[static DNS_ID_BYTES])
{
    struct dns_container *container;
    LIST_FOREACH(container, &names->containers, next)
    {
        if (is_same(container->id, id)) {
            return container;
        }
    }
    return NULL;
}

void dns_names_remove(struct dns_names *names, const uint8_t id[static DNS_ID_BYTES])
{
    struct dns_container *container = dns_names_find(names, id);
    if (container) {
        LIST_REMOVE(container, next);
        dns_container_free(container);
        names->is_sorted = false;
    }
}

void dns_names_put(struct dns_names *names, struct dns_container *container)
{
    dns_names_remove(names, container->id);
    LIST_INSERT_HEAD(&names->containers, container, next);
    names->is_sorted = false;
}

void dns_names_clear(struct dns_names *names)
{
    while (!LIST_EMPTY(&names->containers)) {
        dns_names_remove(names, LIST_FIRST(&names->containers)->id);
    }
    free(names->sorted);
    names->sorted = NULL;
    names->n_sorted = 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct dns_entry *)a)->name, ((const struct dns_entry *)b)->name);
}

/* False: no memory. */
static bool sort(struct dns_names *names)
{
    if (names->is_sorted) {
        return true;
    }
    size_t n = 0;
    const struct dns_container *container;
    LIST_FOREACH(container, &names->containers, next)
    {
        for (size_t i = 0; i < container->n_endpoints; i++) {
            n += container->endpoints[i].n_names;
        }
    }
    struct dns_entry *sorted = calloc(n + 1, sizeof(*sorted));
    if (!sorted) {
        return false;
    }
    n = 0;
    LIST_FOREACH(container, &names->containers, next)
    {
        for (size_t i = 0; i < container->n_endpoints; i++) {
            const struct dns_endpoint *endpoint = &container->endpoints[i];
            for (size_t j = 0; j < endpoint->n_names; j++) {
                sorted[n++] = (struct dns_entry){.name = endpoint->names[j], .endpoint = endpoint};
            }
        }
    }
    qsort(sorted, n, sizeof(*sorted), compare);
    free(names->sorted);
    names->sorted = sorted;
    names->n_sorted = n;
    names->is_sorted = true;
    return true;
}

/* ---- finding ---------------------------------------------------------------------------------------------- */

/* Where a name leads: endpoints, borrowed. */
struct found {
    const struct dns_endpoint **endpoints;
    size_t n, size;
};

static void found_free(struct found *found)
{
    free(found->endpoints);
}

static void add(struct found *found, const struct dns_endpoint *endpoint)
{
    if (found->n == found->size) {
        size_t size = found->size ? found->size * 2 : 8;
        const struct dns_endpoint **grown = realloc(found->endpoints, size * sizeof(const struct dns_endpoint *));
        if (!grown) {
            return; /* an answer with fewer addresses */
        }
        found->endpoints = grown;
        found->size = size;
    }
    found->endpoints[found->n++] = endpoint;
}

static const struct dns_endpoint *endpoint_in(const struct dns_container *container, const uint8_t *network)
{
    for (size_t i = 0; container && i < container->n_endpoints; i++) {
        if (is_same(container->endpoints[i].network, network)) {
            return &container->endpoints[i];
        }
    }
    return NULL;
}

/* Names of its own for others. */
static void find_links(const struct dns_names *names, const struct dns_container *asker, const char *name,
                       struct found *found)
{
    for (size_t i = 0; i < asker->n_endpoints; i++) {
        const struct dns_endpoint *mine = &asker->endpoints[i];
        for (size_t j = 0; j < mine->n_links; j++) {
            const struct dns_link *link = &mine->links[j];
            const struct dns_endpoint *endpoint =
                strcmp(link->name, name) == 0 ? endpoint_in(dns_names_find(names, link->container), mine->network)
                                              : NULL;
            if (endpoint) {
                add(found, endpoint);
            }
        }
    }
}

/* `name` of `length` bytes, in the networks of the asker's, or in the one of them that is called `network`. */
static void find_names(struct dns_names *names, const struct dns_container *asker, const char *name, size_t length,
                       const char *network, struct found *found)
{
    char key[NS_MAXDNAME];
    if (length >= sizeof(key) || !sort(names)) {
        return;
    }
    memcpy(key, name, length);
    key[length] = '\0';
    struct dns_entry wanted = {.name = key};
    const struct dns_entry *entry =
        names->n_sorted ? bsearch(&wanted, names->sorted, names->n_sorted, sizeof(wanted), compare) : NULL;
    if (!entry) {
        return;
    }
    while (entry > names->sorted && compare(entry - 1, &wanted) == 0) {
        entry--;
    }
    for (; entry < names->sorted + names->n_sorted && compare(entry, &wanted) == 0; entry++) {
        if (endpoint_in(asker, entry->endpoint->network) &&
            (!network || strcasecmp(entry->endpoint->network_name, network) == 0)) {
            add(found, entry->endpoint);
        }
    }
}

/* "web", or "web.front" of the network "front". */
static void find(struct dns_names *names, const struct dns_container *asker, const char *name, struct found *found)
{
    find_links(names, asker, name, found);
    if (found->n == 0) {
        find_names(names, asker, name, strlen(name), NULL, found);
    }
    for (const char *dot = strchr(name, '.'); dot && found->n == 0; dot = strchr(dot + 1, '.')) {
        find_names(names, asker, name, (size_t)(dot - name), dot + 1, found);
    }
}

/* ---- answering -------------------------------------------------------------------------------------------- */

static void answer_addresses(struct dns_names *names, const struct found *found, struct dns_answer *answer)
{
    uint16_t type = answer->question->type;
    size_t first = names->turn++;
    for (size_t i = 0; i < found->n; i++) {
        const struct dns_endpoint *endpoint = found->endpoints[(first + i) % found->n];
        if (endpoint->has_address4 && (type == ns_t_a || type == ns_t_any)) {
            dns_answer_address(answer, AF_INET, endpoint->address4, TTL_SECONDS);
        }
        if (endpoint->has_address6 && (type == ns_t_aaaa || type == ns_t_any)) {
            dns_answer_address(answer, AF_INET6, endpoint->address6, TTL_SECONDS);
        }
    }
}

/* "_80._tcp.web": the port is a number, since no service has a name here. Returns where the host's name begins. */
static const char *parse_service(const char *name, uint16_t *ret_port)
{
    char *end;
    if (name[0] != '_' || name[1] < '0' || name[1] > '9') {
        return NULL;
    }
    unsigned long port = strtoul(name + 1, &end, 10);
    if (port == 0 || port > UINT16_MAX || strncmp(end, "._", 2) != 0 ||
        (strncmp(end + 2, "tcp.", 4) != 0 && strncmp(end + 2, "udp.", 4) != 0)) {
        return NULL;
    }
    *ret_port = (uint16_t)port;
    return end + 6;
}

static size_t answer_service(struct dns_names *names, const struct dns_container *asker, struct dns_answer *answer)
{
    uint16_t port;
    bh_cleanup(found_free) struct found found = {0};
    const char *host = parse_service(answer->question->name, &port);
    if (!host) {
        return 0;
    }
    find(names, asker, host, &found);
    for (size_t i = 0; i < found.n; i++) {
        if (found.endpoints[i]->n_names > 0) {
            dns_answer_service(answer, port, found.endpoints[i]->names[0], TTL_SECONDS);
        }
    }
    return found.n ? dns_answer_end(answer) : 0;
}

static bool has_address(const struct dns_endpoint *endpoint, const uint8_t *address, size_t n_bytes)
{
    return n_bytes == 4 ? endpoint->has_address4 && memcmp(endpoint->address4, address, 4) == 0
                        : endpoint->has_address6 && memcmp(endpoint->address6, address, 16) == 0;
}

static size_t answer_pointer(const struct dns_names *names, const struct dns_container *asker,
                             struct dns_answer *answer)
{
    uint8_t address[16];
    size_t n_bytes = dns_reverse_address(answer->question->name, address);
    bool is_known = false;
    const struct dns_container *container;
    LIST_FOREACH(container, &names->containers, next)
    {
        for (size_t i = 0; n_bytes && i < container->n_endpoints; i++) {
            const struct dns_endpoint *endpoint = &container->endpoints[i];
            if (endpoint->n_names == 0 || !has_address(endpoint, address, n_bytes) ||
                !endpoint_in(asker, endpoint->network)) {
                continue;
            }
            char name[NS_MAXDNAME];
            int length = snprintf(name, sizeof(name), "%s%s%s", endpoint->names[0],
                                  endpoint->network_name[0] ? "." : "", endpoint->network_name);
            if (length > 0 && (size_t)length < sizeof(name)) {
                dns_answer_pointer(answer, name, TTL_SECONDS);
                is_known = true;
            }
        }
    }
    return is_known ? dns_answer_end(answer) : 0;
}

size_t dns_names_answer(struct dns_names *names, const struct dns_container *asker, const uint8_t *asked,
                        const struct dns_question *question, uint8_t *bytes, size_t limit)
{
    struct dns_answer answer;
    bh_cleanup(found_free) struct found found = {0};
    if (question->class != ns_c_in) {
        return 0;
    }
    dns_answer_begin(&answer, bytes, limit, asked, question, ns_r_noerror);
    if (question->type == ns_t_ptr) {
        return answer_pointer(names, asker, &answer);
    }
    if (question->type == ns_t_srv) {
        size_t length = answer_service(names, asker, &answer);
        if (length) {
            return length;
        }
    }
    find(names, asker, question->name, &found);
    if (found.n == 0) {
        return 0;
    }
    answer_addresses(names, &found, &answer);
    return dns_answer_end(&answer);
}
