/* SPDX-License-Identifier: Apache-2.0
 *
 * See overlap.h.
 */
#include "overlap.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "link.h"

/* Shorter ones are default routes by another name: a VPN's two halves of everything, or 2000::/3. */
#define ROUTE_PREFIX_MIN 8
#define TRIES            5 /* of a listing that changes while it is read */

static int check_networks(const struct netd *netd, const struct network *network, struct bh_error *error)
{
    const struct network *other;
    LIST_FOREACH(other, &netd->networks, next)
    {
        if (memcmp(other->id, network->id, sizeof(other->id)) == 0 || (!*other->link && !*network->link)) {
            continue; /* itself; or both are parts of networks outside, where others keep order */
        }
        for (enum family family = IPV4; family < FAMILIES; family++) {
            const struct subnet *ours = &network->subnets[family], *theirs = &other->subnets[family];
            char text[IP_SUBNET_TEXT_SIZE], other_text[IP_SUBNET_TEXT_SIZE];
            if (ours->range.ip.n_bytes && theirs->range.ip.n_bytes &&
                ip_subnets_overlap(&ours->range, &theirs->range)) {
                /* Another tenant's network has no name for this one. */
                return bh_error_set(error, BH_ALREADY_EXISTS, "subnet %s overlaps with subnet %s of %s%s%s",
                                    ip_subnet_text(&ours->range, text), ip_subnet_text(&theirs->range, other_text),
                                    other->tenant_uid == network->tenant_uid ? "network \"" : "another network",
                                    other->tenant_uid == network->tenant_uid ? other->name : "",
                                    other->tenant_uid == network->tenant_uid ? "\"" : "");
            }
        }
    }
    return 0;
}

struct question {
    const struct subnet *subnet;
    uint32_t own_link; /* index; 0: none yet */
    bool overlaps;
    struct ip_subnet route;
    uint32_t link;
};

static int take_route(const struct nlmsghdr *header, void *argument)
{
    struct question *question = argument;
    const struct rtmsg *route = mnl_nlmsg_get_payload(header);
    struct ip_subnet to = {.prefix = route->rtm_dst_len};
    uint32_t link = 0, table = route->rtm_table;
    const struct nlattr *attribute;
    netlink_each(attribute, header, sizeof(*route))
    {
        switch (mnl_attr_get_type(attribute)) {
        case RTA_DST:
            (void)ip_read(mnl_attr_get_payload(attribute), mnl_attr_get_payload_len(attribute), &to.ip);
            break;
        case RTA_OIF:
            link = mnl_attr_get_u32(attribute);
            break;
        case RTA_TABLE:
            table = mnl_attr_get_u32(attribute);
            break;
        default:
            break;
        }
    }
    if (question->overlaps || to.ip.n_bytes != question->subnet->range.ip.n_bytes ||
        route->rtm_dst_len < ROUTE_PREFIX_MIN || table == RT_TABLE_LOCAL || route->rtm_type == RTN_MULTICAST ||
        (route->rtm_flags & RTM_F_CLONED) || (question->own_link && link == question->own_link) ||
        !ip_subnets_overlap(&question->subnet->range, &to)) {
        return 0;
    }
    question->overlaps = true;
    question->route = to;
    question->link = link;
    return 0;
}

static int check_routes(struct netd *netd, const struct subnet *subnet, uint32_t own_link, struct bh_error *error)
{
    struct netlink_request request;
    for (int try = 0; try < TRIES; try++) {
        struct question question = {.subnet = subnet, .own_link = own_link};
        struct nlmsghdr *header = netlink_begin(&request, RTM_GETROUTE, NLM_F_DUMP);
        struct rtmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
        body->rtm_family = (uint8_t)family_number(ip_family(&subnet->range.ip));
        if (netlink_ask(&netd->route, header, take_route, &question, error, "list the host's routes") < 0) {
            if (error->sys_errno == EINTR) {
                continue;
            }
            return -1;
        }
        if (question.overlaps) {
            char text[IP_SUBNET_TEXT_SIZE], route[IP_SUBNET_TEXT_SIZE];
            struct link link = {.name = "no link"};
            (void)link_find_index(&netd->route, question.link, &link, error);
            return bh_error_set(error, BH_ALREADY_EXISTS, "subnet %s overlaps with the host's route to %s by %s",
                                ip_subnet_text(&subnet->range, text), ip_subnet_text(&question.route, route),
                                link.name);
        }
        return 0;
    }
    return -1;
}

int overlap_check(struct netd *netd, const struct network *network, struct bh_error *error)
{
    struct link own = {0};
    if (check_networks(netd, network, error) < 0) {
        return -1;
    }
    if (network->driver != BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE) {
        return 0; /* its addresses are those of a network outside, to which the host may well have a route */
    }
    if (link_find(&netd->route, network->link, &own, error) < 0 && error->code != BH_NOT_FOUND) {
        return -1;
    }
    for (enum family family = IPV4; family < FAMILIES; family++) {
        if (network->subnets[family].range.ip.n_bytes &&
            check_routes(netd, &network->subnets[family], own.index, error) < 0) {
            return -1;
        }
    }
    return 0;
}
