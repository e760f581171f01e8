/* SPDX-License-Identifier: Apache-2.0
 *
 * See change.h. In this order: links, which nothing passes yet; ports; the tables, in one transaction; names. What
 * fails undoes what came before; what cannot fail comes last.
 */
#include "change.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/log.h"
#include "dns_redirect.h"
#include "elements.h"
#include "ports.h"
#include "tables.h"

/* What was done until now. */
struct work {
    const struct change *change;
    struct port *ports;
    bool *reserved; /* beside `ports`: now, and not before */
    size_t n_ports;
    struct elements remove, add;
};

/* ---- links and routes -------------------------------------------------------------------------------------- */

static bool changes_route(const struct wanted *wanted)
{
    return wanted->known && (wanted->known->default_route[IPV4] != wanted->endpoint->default_route[IPV4] ||
                             wanted->known->default_route[IPV6] != wanted->endpoint->default_route[IPV6]);
}

static int make_links(struct work *work, struct bh_error *error)
{
    for (size_t i = 0; i < work->change->plan->n_wanted && work->change->inside; i++) {
        struct wanted *wanted = &work->change->plan->wanted[i];
        if (changes_route(wanted) && endpoint_link_route(work->change->inside, wanted->endpoint, error) < 0) {
            return -1;
        }
        if (!wanted->known && endpoint_link_make(work->change->netd, work->change->inside, wanted->endpoint,
                                                 work->change->container->tenant_uid, &wanted->made, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static void undo_links(struct work *work)
{
    struct bh_error error;
    for (size_t i = 0; i < work->change->plan->n_wanted && work->change->inside; i++) {
        struct wanted *wanted = &work->change->plan->wanted[i];
        if (wanted->made && endpoint_link_remove(work->change->netd, wanted->endpoint, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "take a link away again");
        }
    }
    for (size_t i = 0; i < work->change->plan->n_wanted && work->change->inside; i++) {
        struct wanted *wanted = &work->change->plan->wanted[i];
        if (changes_route(wanted) && endpoint_link_route(work->change->inside, wanted->known, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "put a default route back");
        }
    }
}

/* ---- ports ------------------------------------------------------------------------------------------------- */

static bool is_same_port(const struct port *a, const struct port *b)
{
    return a->transport == b->transport && a->host_port == b->host_port && ip_equal(&a->host, &b->host);
}

/* One that the container has already, and that fulfils no earlier wish. */
static const struct port *find_port(const struct work *work, const struct port_wish *wish)
{
    for (size_t i = 0; i < work->change->container->n_ports; i++) {
        const struct port *port = &work->change->container->ports[i];
        bool taken = false;
        for (size_t k = 0; k < work->n_ports; k++) {
            taken = taken || (!work->reserved[k] && is_same_port(&work->ports[k], port));
        }
        if (!taken && port_fulfils(port, wish)) {
            return port;
        }
    }
    return NULL;
}

static int take_ports(struct work *work, struct bh_error *error)
{
    struct ip to[FAMILIES];
    plan_targets(work->change->plan, to);
    work->ports = calloc(work->change->plan->n_wishes + 1, sizeof(*work->ports));
    work->reserved = calloc(work->change->plan->n_wishes + 1, sizeof(*work->reserved));
    if (!work->ports || !work->reserved) {
        return bh_error_errno(error, ENOMEM, "keep published ports");
    }
    for (size_t i = 0; i < work->change->plan->n_wishes; i++) {
        const struct port_wish *wish = &work->change->plan->wishes[i];
        struct port *port = &work->ports[work->n_ports];
        const struct port *known = find_port(work, wish);
        if (!to[IPV4].n_bytes && !to[IPV6].n_bytes) {
            continue; /* linked to nothing that can be reached from outside: as Docker, none is published */
        }
        if (!port_has_target(wish, to)) {
            return bh_error_set(error, BH_FAILED_PRECONDITION,
                                "port %u cannot be published on an IPv%c address: the container has none of that kind",
                                wish->first, ip_family(&wish->host) == IPV4 ? '4' : '6');
        }
        if (known) {
            *port = *known;
            port->to[IPV4] = to[IPV4];
            port->to[IPV6] = to[IPV6];
        } else if (port_reserve(work->change->netd, wish, to, port, error) < 0) {
            return -1;
        } else {
            work->reserved[work->n_ports] = true;
        }
        work->n_ports++;
    }
    return 0;
}

static void undo_ports(struct work *work)
{
    for (size_t i = 0; i < work->n_ports; i++) {
        if (work->reserved[i]) {
            port_release(&work->ports[i]);
        }
    }
}

/* ---- the tables -------------------------------------------------------------------------------------------- */

/* What is in `from` and not in `without`. */
static void subtract(const struct elements *from, const struct elements *without, struct elements *ret_difference)
{
    for (size_t i = 0; i < from->n; i++) {
        bool found = false;
        for (size_t k = 0; k < without->n && !found; k++) {
            found = element_compare(&from->list[i], &without->list[k]) == 0;
        }
        if (!found) {
            elements_append(ret_difference, &from->list[i]);
        }
    }
    ret_difference->failed = ret_difference->failed || from->failed || without->failed;
}

static int change_tables(struct work *work, struct bh_error *error)
{
    bh_autoelements struct elements before = {0}, after = {0};
    const struct endpoint *endpoint;
    LIST_FOREACH(endpoint, &work->change->container->endpoints, of_container)
    {
        elements_of_endpoint(endpoint, &before);
    }
    for (size_t i = 0; i < work->change->container->n_ports; i++) {
        elements_of_port(&work->change->container->ports[i], &before);
    }
    for (size_t i = 0; i < work->change->plan->n_wanted; i++) {
        elements_of_endpoint(work->change->plan->wanted[i].endpoint, &after);
    }
    for (size_t i = 0; i < work->n_ports; i++) {
        elements_of_port(&work->ports[i], &after);
    }
    subtract(&before, &after, &work->remove);
    subtract(&after, &before, &work->add);
    return tables_change(work->change->netd, &work->remove, &work->add, error);
}

static void undo_tables(struct work *work)
{
    struct bh_error error;
    if (tables_change(work->change->netd, &work->add, &work->remove, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "take a container's elements back");
    }
}

/* ---- names ------------------------------------------------------------------------------------------------- */

static bool needs_dns(const Bulkhead__Attachment *attachment)
{
    bool named = attachment->embedded_dns;
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        named = named || attachment->endpoints[i]->n_names > 0;
    }
    return named;
}

static int tell_dns(struct work *work, struct bh_error *error)
{
    const struct change *change = work->change;
    const struct container *container = change->container;
    struct dns_network_name names[SPEC_ENDPOINTS_MAX];
    if (!needs_dns(change->attachment) && !container->has_dns) {
        return 0;
    }
    for (size_t i = 0; i < change->plan->n_wanted; i++) {
        const struct network *network = change->plan->wanted[i].endpoint->network;
        memcpy(names[i].id, network->id, sizeof(names[i].id));
        names[i].name = network->name;
    }
    if (change->dns &&
        dns_redirect(&change->inside->rules, change->netd->table, change->dns[0], change->dns[1], error) < 0) {
        return -1;
    }
    return dns_serve(&change->netd->dns, container->tenant_uid, container->id, change->attachment, names,
                     change->plan->n_wanted, change->dns, error);
}

/* ---- together ---------------------------------------------------------------------------------------------- */

/* Nothing in here can fail. */
static void commit(struct work *work, Bulkhead__Attachment *attachment)
{
    struct container *container = work->change->container;
    struct endpoint *known, *next;
    struct bh_error error;
    for (known = LIST_FIRST(&container->endpoints); known; known = next) {
        next = LIST_NEXT(known, of_container);
        if (!plan_keeps(work->change->plan, known)) {
            if (endpoint_link_remove(work->change->netd, known, &error) < 0) {
                bh_log_failure(BH_LOG_WARNING, &error, "take a link away");
            }
            netd_free_endpoint(known);
        }
    }
    for (size_t i = 0; i < work->change->plan->n_wanted; i++) {
        struct wanted *wanted = &work->change->plan->wanted[i];
        if (wanted->known) {
            memcpy(wanted->known->default_route, wanted->endpoint->default_route, sizeof(wanted->known->default_route));
            continue;
        }
        struct endpoint *endpoint = bh_steal_pointer(&wanted->endpoint);
        endpoint->container = container;
        LIST_INSERT_HEAD(&endpoint->network->endpoints, endpoint, of_network);
        LIST_INSERT_HEAD(&container->endpoints, endpoint, of_container);
    }
    for (size_t i = 0; i < container->n_ports; i++) {
        bool kept = false;
        for (size_t k = 0; k < work->n_ports; k++) {
            kept = kept || is_same_port(&work->ports[k], &container->ports[i]);
        }
        if (!kept) {
            port_release(&container->ports[i]);
        }
    }
    free(container->ports);
    container->ports = bh_steal_pointer(&work->ports);
    container->n_ports = work->n_ports;
    if (container->attachment) {
        bulkhead__attachment__free_unpacked(container->attachment, NULL);
    }
    container->attachment = attachment;
    container->has_dns = container->has_dns || work->change->dns;
}

int change_apply(const struct change *change, struct bh_error *error)
{
    struct work work = {.change = change};
    ProtobufCMessage *copy = NULL;
    int result = message_copy(&change->attachment->base, &copy, error);
    if (result < 0) {
        return -1;
    }
    if ((result = make_links(&work, error)) == 0 && (result = take_ports(&work, error)) == 0 &&
        (result = change_tables(&work, error)) == 0 && (result = tell_dns(&work, error)) < 0) {
        undo_tables(&work);
    }
    if (result < 0) {
        undo_ports(&work);
        undo_links(&work);
        bulkhead__attachment__free_unpacked((Bulkhead__Attachment *)(void *)copy, NULL);
    } else {
        commit(&work, (Bulkhead__Attachment *)(void *)copy);
    }
    elements_free(&work.remove);
    elements_free(&work.add);
    free(work.ports);
    free(work.reserved);
    return result;
}
