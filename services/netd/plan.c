/* SPDX-License-Identifier: Apache-2.0
 *
 * See plan.h.
 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->n_wanted; i++) {
        if (plan->wanted[i].endpoint) {
            bh_close(&plan->wanted[i].endpoint->inside);
            free(plan->wanted[i].endpoint);
        }
    }
    free(plan->wanted);
    free(plan->wishes);
    *plan = (struct plan){0};
}

static int make_room(struct plan *plan, size_t n_endpoints, size_t n_ports, struct bh_error *error)
{
    if (n_endpoints > SPEC_ENDPOINTS_MAX || n_ports > SPEC_PORTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container has at most %d links and %d published ports",
                            SPEC_ENDPOINTS_MAX, SPEC_PORTS_MAX);
    }
    plan->wanted = calloc(n_endpoints + 1, sizeof(*plan->wanted));
    plan->wishes = calloc(n_ports + 1, sizeof(*plan->wishes));
    return plan->wanted && plan->wishes ? 0 : bh_error_errno(error, ENOMEM, "plan a container's links");
}

static int add_wanted(struct plan *plan, const struct endpoint *endpoint, struct endpoint *known,
                      struct bh_error *error)
{
    struct endpoint *copy = malloc(sizeof(*copy));
    if (!copy) {
        return bh_error_errno(error, ENOMEM, "plan a container's links");
    }
    *copy = *endpoint;
    copy->inside = -1; /* what is known keeps its own */
    plan->wanted[plan->n_wanted++] = (struct wanted){.endpoint = copy, .known = known};
    return 0;
}

/* ---- what belongs together --------------------------------------------------------------------------------- */

static bool same_link(const struct endpoint *a, const struct endpoint *b)
{
    return a->network == b->network && memcmp(a->mac, b->mac, sizeof(a->mac)) == 0 &&
           ip_equal(&a->addresses[IPV4], &b->addresses[IPV4]) && ip_equal(&a->addresses[IPV6], &b->addresses[IPV6]) &&
           strcmp(a->interface, b->interface) == 0;
}

static bool share_address(const struct endpoint *a, const struct endpoint *b)
{
    for (enum family family = IPV4; family < FAMILIES; family++) {
        if (a->addresses[family].n_bytes && ip_equal(&a->addresses[family], &b->addresses[family])) {
            return true;
        }
    }
    return memcmp(a->mac, b->mac, sizeof(a->mac)) == 0;
}

/* Within one container. */
static int check_pair(const struct endpoint *a, const struct endpoint *b, struct bh_error *error)
{
    if (a->network == b->network || memcmp(a->id, b->id, sizeof(a->id)) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container is linked to network \"%s\" twice",
                            a->network->name);
    }
    if (strcmp(a->interface, b->interface) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "two links of a container have the name \"%s\"", a->interface);
    }
    if ((a->default_route[IPV4] && b->default_route[IPV4]) || (a->default_route[IPV6] && b->default_route[IPV6])) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container has two default routes, by \"%s\" and \"%s\"",
                            a->interface, b->interface);
    }
    return 0;
}

/* With the network's others. An endpoint that this container is about to lose holds its addresses until then. */
static int check_others(const struct endpoint *endpoint, const struct container *container, struct bh_error *error)
{
    const struct endpoint *other;
    char text[IP_SUBNET_TEXT_SIZE], id[SPEC_ID_TEXT_SIZE];
    LIST_FOREACH(other, &endpoint->network->endpoints, of_network)
    {
        if (memcmp(other->id, endpoint->id, sizeof(other->id)) == 0 && other->container == container) {
            continue;
        }
        if (share_address(endpoint, other)) {
            const struct ip *address = &endpoint->addresses[endpoint->addresses[IPV4].n_bytes ? IPV4 : IPV6];
            return bh_error_set(error, BH_ALREADY_EXISTS,
                                "address %s of network \"%s\", or its MAC address, is in use by container %.12s",
                                ip_text(address, text), endpoint->network->name,
                                spec_id_text(other->container->id, 6, id));
        }
    }
    return 0;
}

static int read_endpoint(const struct netd *netd, const struct container *container, uint32_t tenant_uid,
                         const Bulkhead__Endpoint *message, struct plan *plan, struct bh_error *error)
{
    struct endpoint endpoint;
    if (spec_read_endpoint(netd, message, tenant_uid, &endpoint, error) < 0) {
        return -1;
    }
    struct endpoint *known = container ? netd_find_endpoint(container, endpoint.id) : NULL;
    if (known && !same_link(known, &endpoint)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the link to network \"%s\" has been made differently",
                            known->network->name);
    }
    for (size_t i = 0; i < plan->n_wanted; i++) {
        if (check_pair(plan->wanted[i].endpoint, &endpoint, error) < 0) {
            return -1;
        }
    }
    if (!known && check_others(&endpoint, container, error) < 0) {
        return -1;
    }
    if (known) {
        memcpy(endpoint.link, known->link, sizeof(endpoint.link));
        endpoint.index = known->index;
    }
    return add_wanted(plan, &endpoint, known, error);
}

int plan_read(const struct netd *netd, const struct container *container, uint32_t tenant_uid,
              const Bulkhead__Attachment *attachment, struct plan *ret_plan, struct bh_error *error)
{
    if (make_room(ret_plan, attachment->n_endpoints, attachment->n_ports, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < attachment->n_endpoints; i++) {
        if (read_endpoint(netd, container, tenant_uid, attachment->endpoints[i], ret_plan, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < attachment->n_ports; i++) {
        if (spec_read_port(attachment->ports[i], &ret_plan->wishes[ret_plan->n_wishes++], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- less -------------------------------------------------------------------------------------------------- */

bool plan_is_among(const uint8_t id[static NETD_ID_BYTES], const ProtobufCBinaryData *ids, size_t n_ids)
{
    for (size_t i = 0; i < n_ids; i++) {
        if (ids[i].len == NETD_ID_BYTES && memcmp(ids[i].data, id, NETD_ID_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

int plan_without(const struct container *container, const ProtobufCBinaryData *endpoints, size_t n_endpoints,
                 struct plan *ret_plan, struct bh_error *error)
{
    struct endpoint *known;
    if (make_room(ret_plan, SPEC_ENDPOINTS_MAX, container->n_ports, error) < 0) {
        return -1;
    }
    LIST_FOREACH(known, &container->endpoints, of_container)
    {
        if (!plan_is_among(known->id, endpoints, n_endpoints) && add_wanted(ret_plan, known, known, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < container->n_ports; i++) {
        const struct port *port = &container->ports[i];
        ret_plan->wishes[ret_plan->n_wishes++] = (struct port_wish){.transport = port->transport,
                                                                    .container_port = port->container_port,
                                                                    .first = port->host_port,
                                                                    .last = port->host_port,
                                                                    .everywhere = port->everywhere,
                                                                    .host = port->host};
    }
    return 0;
}

/* ---- looking at it ----------------------------------------------------------------------------------------- */

bool plan_keeps(const struct plan *plan, const struct endpoint *known)
{
    for (size_t i = 0; i < plan->n_wanted; i++) {
        if (plan->wanted[i].known == known) {
            return true;
        }
    }
    return false;
}

void plan_targets(const struct plan *plan, struct ip ret_to[static FAMILIES])
{
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct endpoint *best = NULL;
        for (size_t i = 0; i < plan->n_wanted; i++) {
            const struct endpoint *endpoint = plan->wanted[i].endpoint;
            bool reachable =
                *endpoint->network->link && !endpoint->network->internal && endpoint->addresses[family].n_bytes;
            if (reachable && (!best || (endpoint->default_route[family] && !best->default_route[family]))) {
                best = endpoint;
            }
        }
        ret_to[family] = best ? best->addresses[family] : (struct ip){0};
    }
}
