/* SPDX-License-Identifier: Apache-2.0
 *
 * See endpoint_link.h. What a container's root answers through its socket is not believed but for its own harm: names
 * and numbers that concern the host come from the host.
 */
#include "endpoint_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "found.h"
#include "link.h"

/* Never used twice, so that an element that was left in the tables means nobody. */
static int choose_name(const struct netd *netd, char name[static IFNAMSIZ], struct bh_error *error)
{
    uint8_t random[6];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return bh_error_errno(error, errno, "choose a link's name");
    }
    (void)snprintf(name, IFNAMSIZ, "%sv%02x%02x%02x%02x%02x%02x", netd->prefix, random[0], random[1], random[2],
                   random[3], random[4], random[5]);
    return 0;
}

static int make_pair(struct netd *netd, const struct inside *inside, struct endpoint *endpoint, struct bh_error *error)
{
    if (choose_name(netd, endpoint->link, error) < 0) {
        return -1;
    }
    const struct veth_spec spec = {.name = endpoint->link,
                                   .master = endpoint->network->index,
                                   .mtu = endpoint->network->mtu,
                                   .peer_name = endpoint->interface,
                                   .peer_mac = endpoint->mac,
                                   .peer_namespace = inside->namespace};
    struct link link;
    if (link_make_veth(&netd->route, &spec, error) < 0 || link_find(&netd->route, endpoint->link, &link, error) < 0) {
        return -1;
    }
    endpoint->index = link.index;
    return 0;
}

static int set_up_port(struct netd *netd, const struct endpoint *endpoint, uint32_t tenant_uid, struct bh_error *error)
{
    char alias[LINK_ALIAS_SIZE];
    found_write_alias(netd, endpoint, tenant_uid, alias, sizeof(alias));
    return link_set_port(&netd->route, endpoint->index, alias, endpoint->network->isolated, error) < 0
               ? -1
               : link_add_port_mac(&netd->route, endpoint->index, endpoint->mac, error);
}

static int make_macvlan(struct netd *netd, const struct inside *inside, struct endpoint *endpoint, bool *ret_made,
                        struct bh_error *error)
{
    struct link parent;
    endpoint->inside = fcntl(inside->route.fd, F_DUPFD_CLOEXEC, 0);
    if (endpoint->inside < 0) {
        return bh_error_errno(error, errno, "keep a way into a container");
    }
    if (link_find(&netd->route, endpoint->network->parent, &parent, error) < 0) {
        return -1;
    }
    static const uint32_t modes[] = {
        [BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_BRIDGE] = 4, /* MACVLAN_MODE_* of linux/if_link.h */
        [BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_VEPA] = 2,
        [BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_PASSTHRU] = 8,
        [BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_PRIVATE] = 1,
    };
    const struct macvlan_spec spec = {.name = endpoint->interface,
                                      .parent = parent.index,
                                      .mode = modes[endpoint->network->mode],
                                      .mtu = endpoint->network->mtu,
                                      .mac = endpoint->mac,
                                      .namespace = inside->namespace};
    *ret_made = true;
    if (link_make_macvlan(&netd->route, &spec, error) < 0) {
        *ret_made = false;
        /* Whether it is there from an earlier life is known to nobody but the container. */
        return netd->found && error->sys_errno == EEXIST ? 0 : -1;
    }
    return 0;
}

static int set_up_inside(struct inside *inside, const struct endpoint *endpoint, struct bh_error *error)
{
    struct link link;
    if (link_find(&inside->route, endpoint->interface, &link, error) < 0 ||
        (!endpoint->addresses[IPV6].n_bytes && link_stop_ipv6(&inside->route, link.index, error) < 0)) {
        return -1;
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct ip *address = &endpoint->addresses[family];
        if (address->n_bytes && link_add_address(&inside->route, link.index, address,
                                                 endpoint->network->subnets[family].range.prefix, error) < 0) {
            return -1;
        }
    }
    return link_set_up(&inside->route, link.index, error) < 0 ? -1 : endpoint_link_route(inside, endpoint, error);
}

int endpoint_link_route(struct inside *inside, const struct endpoint *endpoint, struct bh_error *error)
{
    struct link link;
    if (link_find(&inside->route, endpoint->interface, &link, error) < 0) {
        return -1;
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        const struct ip *gateway = &endpoint->network->subnets[family].gateway;
        int result =
            endpoint->default_route[family] ? link_add_route(&inside->route, link.index, family, NULL, gateway, error)
            : endpoint->addresses[family].n_bytes ? link_remove_default_route(&inside->route, link.index, family, error)
                                                  : 0;
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

int endpoint_link_make(struct netd *netd, struct inside *inside, struct endpoint *endpoint, uint32_t tenant_uid,
                       bool *ret_made, struct bh_error *error)
{
    bool bridged = *endpoint->network->link != '\0';
    *ret_made = false;
    int result = 0;
    if (!bridged) {
        result = make_macvlan(netd, inside, endpoint, ret_made, error);
    } else if (!found_take_endpoint(netd, endpoint->id, endpoint->network->index, endpoint->link, &endpoint->index)) {
        result = make_pair(netd, inside, endpoint, error);
        *ret_made = result == 0;
    }
    if (result < 0 || (bridged && set_up_port(netd, endpoint, tenant_uid, error) < 0) ||
        set_up_inside(inside, endpoint, error) < 0) {
        struct bh_error ignored; /* the first one counts */
        if (*ret_made) {
            (void)endpoint_link_remove(netd, endpoint, &ignored);
        }
        bh_close(&endpoint->inside);
        return bh_error_wrap(error, "link a container to network \"%s\" by \"%s\"", endpoint->network->name,
                             endpoint->interface);
    }
    return 0;
}

int endpoint_link_remove(struct netd *netd, const struct endpoint *endpoint, struct bh_error *error)
{
    struct netlink inside = {.fd = endpoint->inside};
    struct link link;
    if (*endpoint->link) {
        return link_remove(&netd->route, endpoint->index, error);
    }
    if (link_find(&inside, endpoint->interface, &link, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    return link_remove(&inside, link.index, error);
}

int endpoint_link_restore(struct netd *netd, const struct endpoint *endpoint, struct bh_error *error)
{
    struct link link;
    if (!*endpoint->link) {
        return 0;
    }
    if (link_find_index(&netd->route, endpoint->index, &link, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    if (link.master == endpoint->network->index) {
        return 0;
    }
    return link_set_master(&netd->route, endpoint->index, endpoint->network->index, error) < 0
               ? -1
               : set_up_port(netd, endpoint, endpoint->container->tenant_uid, error);
}
