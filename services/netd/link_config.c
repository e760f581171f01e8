/* SPDX-License-Identifier: Apache-2.0
 *
 * What links have: addresses, routes, neighbours; see link.h.
 */
#include "link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static void put_address(struct nlmsghdr *header, uint16_t type, const struct ip *address)
{
    mnl_attr_put(header, type, address->n_bytes, address->bytes);
}

int link_add_address(struct netlink *netlink, uint32_t index, const struct ip *address, uint32_t prefix,
                     struct bh_error *error)
{
    const struct ip_subnet subnet = {*address, prefix};
    struct netlink_request request;
    char text[IP_SUBNET_TEXT_SIZE];
    struct nlmsghdr *header = netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    struct ifaddrmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
    body->ifa_family = (uint8_t)family_number(ip_family(address));
    body->ifa_prefixlen = (uint8_t)prefix;
    body->ifa_scope = RT_SCOPE_UNIVERSE;
    body->ifa_flags = IFA_F_NODAD;
    body->ifa_index = index;
    put_address(header, IFA_LOCAL, address);
    put_address(header, IFA_ADDRESS, address);
    if (ip_family(address) == IPV4 && prefix < 31) {
        const struct ip broadcast = ip_last(&subnet);
        put_address(header, IFA_BROADCAST, &broadcast);
    }
    if (netlink_do(netlink, header, error, "give a link address %s", ip_subnet_text(&subnet, text)) < 0) {
        return error->sys_errno == EEXIST ? 0 : -1;
    }
    return 0;
}

static struct nlmsghdr *begin_route(struct netlink_request *request, uint16_t type, uint16_t flags, uint32_t index,
                                    enum family family, const struct ip *to, const struct ip *gateway)
{
    struct nlmsghdr *header = netlink_begin(request, type, flags);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
    route->rtm_family = (uint8_t)family_number(family);
    route->rtm_dst_len = to ? (uint8_t)(to->n_bytes * 8) : 0;
    route->rtm_table = RT_TABLE_MAIN;
    route->rtm_protocol = RTPROT_BOOT;
    route->rtm_scope = gateway || family == IPV6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    route->rtm_type = RTN_UNICAST;
    if (to) {
        put_address(header, RTA_DST, to);
    }
    if (gateway) {
        put_address(header, RTA_GATEWAY, gateway);
    }
    mnl_attr_put_u32(header, RTA_OIF, index);
    return header;
}

int link_add_route(struct netlink *netlink, uint32_t index, enum family family, const struct ip *to,
                   const struct ip *gateway, struct bh_error *error)
{
    struct netlink_request request;
    char text[IP_SUBNET_TEXT_SIZE];
    struct nlmsghdr *header =
        begin_route(&request, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, index, family, to, gateway);
    return netlink_do(netlink, header, error, "add a route to %s", to ? ip_text(to, text) : "everywhere");
}

int link_remove_default_route(struct netlink *netlink, uint32_t index, enum family family, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = begin_route(&request, RTM_DELROUTE, 0, index, family, NULL, NULL);
    if (netlink_do(netlink, header, error, "remove the route to everywhere") < 0) {
        return error->sys_errno == ESRCH ? 0 : -1;
    }
    return 0;
}

static int add_neighbour(struct netlink *netlink, const struct ndmsg *what, const struct ip *address,
                         const uint8_t mac[static 6], struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    struct ndmsg *body = mnl_nlmsg_put_extra_header(header, sizeof(*body));
    *body = *what;
    if (address) {
        put_address(header, NDA_DST, address);
    }
    mnl_attr_put(header, NDA_LLADDR, 6, mac);
    return netlink_do(netlink, header, error, "say where MAC %02x:%02x:%02x:%02x:%02x:%02x is", mac[0], mac[1], mac[2],
                      mac[3], mac[4], mac[5]);
}

int link_add_neighbour(struct netlink *netlink, uint32_t index, const struct ip *address, const uint8_t mac[static 6],
                       struct bh_error *error)
{
    const struct ndmsg what = {.ndm_family = (uint8_t)family_number(ip_family(address)),
                               .ndm_ifindex = (int)index,
                               .ndm_state = NUD_PERMANENT};
    return add_neighbour(netlink, &what, address, mac, error);
}

int link_add_port_mac(struct netlink *netlink, uint32_t port, const uint8_t mac[static 6], struct bh_error *error)
{
    const struct ndmsg what = {
        .ndm_family = AF_BRIDGE, .ndm_ifindex = (int)port, .ndm_state = NUD_NOARP, .ndm_flags = NTF_MASTER};
    return add_neighbour(netlink, &what, NULL, mac, error);
}
