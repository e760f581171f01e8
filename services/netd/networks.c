/* SPDX-License-Identifier: Apache-2.0
 *
 * See networks.h. Elements come before links are up and go after links are gone: no packet passes unjudged.
 */
#include "networks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "endpoint_link.h"
#include "found.h"
#include "ingress.h"
#include "link.h"
#include "overlap.h"
#include "spec.h"
#include "sysctl.h"
#include "tables.h"

static const struct elements nothing;

/* ---- the bridge -------------------------------------------------------------------------------------------- */

static void write_alias(const struct netd *netd, const struct network *network, char alias[static LINK_ALIAS_SIZE])
{
    char id[SPEC_ID_TEXT_SIZE];
    (void)snprintf(alias, LINK_ALIAS_SIZE, "%s %u %s", netd->table, network->tenant_uid,
                   spec_id_text(network->id, NETD_ID_BYTES, id));
}

static int set_up_bridge(struct netd *netd, const struct network *network, struct bh_error *error)
{
    char name[64];
    if (network->subnets[IPV6].range.ip.n_bytes) {
        (void)snprintf(name, sizeof(name), "ipv6/conf/%s/accept_ra", network->link);
        if (sysctl_ensure(name, 0, error) < 0) { /* what a container advertises is not believed */
            return -1;
        }
        (void)snprintf(name, sizeof(name), "ipv6/conf/%s/accept_dad", network->link);
        if (sysctl_ensure(name, 0, error) < 0) { /* nobody else has its addresses: they count at once */
            return -1;
        }
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct subnet *subnet = &network->subnets[family];
        if (subnet->gateway.n_bytes &&
            link_add_address(&netd->route, network->index, &subnet->gateway, subnet->range.prefix, error) < 0) {
            return -1;
        }
    }
    return link_set_up(&netd->route, network->index, error);
}

/* Finds the bridge of an earlier life, or makes it. */
static int ensure_bridge(struct netd *netd, struct network *network, bool *ret_made, struct bh_error *error)
{
    char alias[LINK_ALIAS_SIZE];
    struct link link;
    write_alias(netd, network, alias);
    *ret_made = false;
    if (link_find(&netd->route, network->link, &link, error) == 0) {
        if (strcmp(link.alias, alias) != 0 || strcmp(link.kind, "bridge") != 0) {
            return bh_error_set(error, BH_ALREADY_EXISTS, "the host has a link \"%s\" that is not of network \"%s\"",
                                network->link, network->name);
        }
        network->index = link.index;
        return 0;
    }
    if (error->code != BH_NOT_FOUND) {
        return -1;
    }
    const struct bridge_spec spec = {.name = network->link,
                                     .alias = alias,
                                     .mtu = network->mtu,
                                     .ipv6 = network->subnets[IPV6].range.ip.n_bytes > 0};
    *ret_made = true;
    return link_make_bridge(&netd->route, &spec, &network->index, error);
}

static int make_bridge(struct netd *netd, struct network *network, struct bh_error *error)
{
    bh_autoelements struct elements elements = {0};
    bool made = false;
    elements_of_network(network, &elements);
    if (overlap_check(netd, network, error) < 0 || ensure_bridge(netd, network, &made, error) < 0) {
        return -1;
    }
    if (tables_change(netd, &nothing, &elements, error) < 0 || set_up_bridge(netd, network, error) < 0) {
        struct bh_error ignored; /* the first one counts */
        if (made) {
            (void)link_remove(&netd->route, network->index, &ignored);
            (void)tables_change(netd, &elements, &nothing, &ignored);
        }
        return -1;
    }
    return 0;
}

static int check_parent(struct netd *netd, const struct network *network, struct bh_error *error)
{
    struct link parent;
    return link_find(&netd->route, network->parent, &parent, error) < 0
               ? bh_error_wrap(error, "use \"%s\" as the parent of network \"%s\"", network->parent, network->name)
               : 0;
}

/* ---- making ------------------------------------------------------------------------------------------------ */

static int check_number(const struct netd *netd, uint32_t tenant_uid, uint32_t most, struct bh_error *error)
{
    size_t n = 0, n_tenant = 0;
    const struct network *network;
    LIST_FOREACH(network, &netd->networks, next)
    {
        n++;
        n_tenant += network->tenant_uid == tenant_uid;
    }
    if (n >= NETWORKS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "there are %zu networks on this host already, the most there "
                            "may be",
                            n);
    }
    return most && n_tenant >= most
               ? bh_error_set(
                     error, BH_RESOURCE_EXHAUSTED,
                     "tenant %u has %zu networks already; at most %u are allowed, remove one (rule \"quotas\")",
                     tenant_uid, n_tenant, most)
               : 0;
}

static int make(struct netd *netd, struct network *network, struct bh_error *error)
{
    for (enum family family = IPV4; family < FAMILIES; family++) {
        if (*network->link && network->subnets[family].range.ip.n_bytes && ingress_ensure(netd, family, error) < 0) {
            return -1;
        }
    }
    return *network->link ? make_bridge(netd, network, error) : check_parent(netd, network, error);
}

int networks_make(struct netd *netd, const Bulkhead__MakeNetwork *message, struct bh_error *error)
{
    bh_autofree struct network *network = calloc(1, sizeof(*network));
    if (!network) {
        return bh_error_errno(error, ENOMEM, "keep a network");
    }
    if (!message->network) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "there is no network to make");
    }
    if (spec_read_network(message->network, netd->prefix, network, error) < 0) {
        return -1;
    }
    const struct network *known = netd_find_network(netd, network->id);
    if (known && !spec_same_network(known, network)) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "network \"%s\" has been made differently", known->name);
    }
    if (known) {
        return 0;
    }
    if (check_number(netd, network->tenant_uid, message->most, error) < 0 || make(netd, network, error) < 0) {
        return bh_error_wrap(error, "make network \"%s\"", network->name);
    }
    found_forget_network(netd, network->id);
    LIST_INSERT_HEAD(&netd->networks, network, next);
    (void)bh_steal_pointer(&network);
    return 0;
}

/* ---- dropping ---------------------------------------------------------------------------------------------- */

struct ports_of {
    struct netd *netd;
    uint32_t bridge;
    uint32_t indexes[1024];
    size_t n;
};

static void see_port(const struct link *link, void *argument)
{
    struct ports_of *ports = argument;
    if (link->master == ports->bridge && strcmp(link->kind, "veth") == 0 &&
        ports->n < sizeof(ports->indexes) / sizeof(ports->indexes[0])) {
        ports->indexes[ports->n++] = link->index;
    }
}

/* Ports of containers that ended go with their namespaces, which takes the kernel its time. */
int networks_remove_bridge(struct netd *netd, uint32_t index, struct bh_error *error)
{
    bh_autofree struct ports_of *ports = calloc(1, sizeof(*ports));
    if (!ports) {
        return bh_error_errno(error, ENOMEM, "list a bridge's ports");
    }
    ports->bridge = index;
    if (link_list(&netd->route, see_port, ports, error) < 0 && error->sys_errno != EINTR) {
        return -1;
    }
    for (size_t i = 0; i < ports->n; i++) {
        if (link_remove(&netd->route, ports->indexes[i], error) < 0) {
            return -1;
        }
    }
    return link_remove(&netd->route, index, error);
}

int networks_drop(struct netd *netd, const Bulkhead__DropNetwork *message, struct bh_error *error)
{
    const uint8_t *id;
    if (!message->network) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "there is no network to drop");
    }
    if (spec_read_id(&message->network->id, "a network", &id, error) < 0) {
        return -1;
    }
    struct network *network = netd_find_network(netd, id);
    if (!network) {
        return found_drop_network(netd, id, message->network->tenant_uid, error);
    }
    if (network->tenant_uid != message->network->tenant_uid) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "network \"%s\" is not of tenant %u", network->name,
                            message->network->tenant_uid);
    }
    if (!LIST_EMPTY(&network->endpoints)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "network \"%s\" has containers linked to it", network->name);
    }
    bh_autoelements struct elements elements = {0};
    elements_of_network(network, &elements);
    if (*network->link && (networks_remove_bridge(netd, network->index, error) < 0 ||
                           tables_change(netd, &elements, &nothing, error) < 0)) {
        return bh_error_wrap(error, "drop network \"%s\"", network->name);
    }
    netd_free_network(network);
    return 0;
}

/* ---- restoring --------------------------------------------------------------------------------------------- */

static int restore(struct netd *netd, struct network *network, struct bh_error *error)
{
    bool made = false;
    if (ensure_bridge(netd, network, &made, error) < 0 || set_up_bridge(netd, network, error) < 0) {
        return -1;
    }
    if (made) {
        bh_log_warning("the bridge of network \"%s\" was gone and was made again", network->name);
    }
    const struct endpoint *endpoint;
    LIST_FOREACH(endpoint, &network->endpoints, of_network)
    {
        if (endpoint_link_restore(netd, endpoint, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int networks_restore(struct netd *netd, struct bh_error *error)
{
    struct network *network;
    LIST_FOREACH(network, &netd->networks, next)
    {
        if (*network->link && restore(netd, network, error) < 0) {
            return bh_error_wrap(error, "put back network \"%s\"", network->name);
        }
    }
    return 0;
}
