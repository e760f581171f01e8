/* SPDX-License-Identifier: Apache-2.0
 *
 * Links themselves; see link.h. What they have is in link_config.c.
 */
#include "link.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "common/log.h"

/* ---- looking ----------------------------------------------------------------------------------------------- */

static void copy_text(char *target, size_t target_bytes, const struct nlattr *attribute)
{
    size_t n = mnl_attr_get_payload_len(attribute);
    n = strnlen(mnl_attr_get_payload(attribute), n < target_bytes ? n : target_bytes - 1);
    memcpy(target, mnl_attr_get_payload(attribute), n);
    target[n] = '\0';
}

static void read_link(const struct nlmsghdr *header, struct link *ret_link)
{
    const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
    *ret_link = (struct link){.index = (uint32_t)info->ifi_index};
    const struct nlattr *attribute, *inner;
    netlink_each(attribute, header, sizeof(*info))
    {
        switch (mnl_attr_get_type(attribute)) {
        case IFLA_IFNAME:
            copy_text(ret_link->name, sizeof(ret_link->name), attribute);
            break;
        case IFLA_IFALIAS:
            copy_text(ret_link->alias, sizeof(ret_link->alias), attribute);
            break;
        case IFLA_MASTER:
            ret_link->master = mnl_attr_get_u32(attribute);
            break;
        case IFLA_ADDRESS:
            if (mnl_attr_get_payload_len(attribute) == sizeof(ret_link->mac)) {
                memcpy(ret_link->mac, mnl_attr_get_payload(attribute), sizeof(ret_link->mac));
            }
            break;
        case IFLA_LINKINFO:
            netlink_each_nested(inner, attribute)
            {
                if (mnl_attr_get_type(inner) == IFLA_INFO_KIND) {
                    copy_text(ret_link->kind, sizeof(ret_link->kind), inner);
                }
            }
            break;
        default:
            break;
        }
    }
}

static struct ifinfomsg *put_info(struct nlmsghdr *header, uint32_t index)
{
    struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
    info->ifi_family = AF_UNSPEC;
    info->ifi_index = (int)index;
    return info;
}

static int take_one(const struct nlmsghdr *header, void *argument)
{
    if (header->nlmsg_type == RTM_NEWLINK) {
        read_link(header, argument);
    }
    return 0;
}

static int find(struct netlink *netlink, uint32_t index, const char *name, struct link *ret_link,
                struct bh_error *error)
{
    struct netlink_request request;
    struct link link = {0};
    struct nlmsghdr *header = netlink_begin(&request, RTM_GETLINK, 0);
    (void)put_info(header, index);
    if (*name) {
        mnl_attr_put_strz(header, IFLA_IFNAME, name);
    }
    if (netlink_ask(netlink, header, take_one, &link, error, "find link %u \"%s\"", index, name) < 0) {
        if (error->sys_errno == ENODEV) {
            error->code = BH_NOT_FOUND;
        }
        return -1;
    }
    *ret_link = link;
    return 0;
}

int link_find(struct netlink *netlink, const char *name, struct link *ret_link, struct bh_error *error)
{
    return find(netlink, 0, name, ret_link, error);
}

int link_find_index(struct netlink *netlink, uint32_t index, struct link *ret_link, struct bh_error *error)
{
    return find(netlink, index, "", ret_link, error);
}

struct listing {
    void (*see)(const struct link *link, void *argument);
    void *argument;
};

static int take_each(const struct nlmsghdr *header, void *argument)
{
    const struct listing *listing = argument;
    if (header->nlmsg_type == RTM_NEWLINK) {
        struct link link;
        read_link(header, &link);
        listing->see(&link, listing->argument);
    }
    return 0;
}

int link_list(struct netlink *netlink, void (*see)(const struct link *link, void *argument), void *argument,
              struct bh_error *error)
{
    struct netlink_request request;
    struct listing listing = {see, argument};
    struct nlmsghdr *header = netlink_begin(&request, RTM_GETLINK, NLM_F_DUMP);
    (void)put_info(header, 0);
    return netlink_ask(netlink, header, take_each, &listing, error, "list the links");
}

/* ---- making ------------------------------------------------------------------------------------------------ */

#define MAKE (NLM_F_CREATE | NLM_F_EXCL)

static int random_mac(uint8_t mac[static 6], struct bh_error *error)
{
    if (getrandom(mac, 6, 0) != 6) {
        return bh_error_errno(error, errno, "choose a MAC address");
    }
    mac[0] = (uint8_t)((mac[0] & 0xfe) | 2); /* of one station, administered by us */
    return 0;
}

int link_make_bridge(struct netlink *netlink, const struct bridge_spec *spec, uint32_t *ret_index,
                     struct bh_error *error)
{
    struct netlink_request request;
    uint8_t mac[6];
    struct link link;
    if (random_mac(mac, error) < 0) {
        return -1;
    }
    struct nlmsghdr *header = netlink_begin(&request, RTM_NEWLINK, MAKE);
    (void)put_info(header, 0);
    mnl_attr_put_strz(header, IFLA_IFNAME, spec->name);
    mnl_attr_put(header, IFLA_ADDRESS, sizeof(mac), mac);
    if (spec->mtu) {
        mnl_attr_put_u32(header, IFLA_MTU, spec->mtu);
    }
    struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
    mnl_attr_put_strz(header, IFLA_INFO_KIND, "bridge");
    struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
    mnl_attr_put_u32(header, IFLA_BR_STP_STATE, 0);
    mnl_attr_put_u8(header, IFLA_BR_MCAST_SNOOPING, 0);
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, info);
    if (netlink_do(netlink, header, error, "make bridge \"%s\"", spec->name) < 0 ||
        link_find(netlink, spec->name, &link, error) < 0) {
        return -1;
    }
    header = netlink_begin(&request, RTM_SETLINK, 0);
    (void)put_info(header, link.index);
    mnl_attr_put_strz(header, IFLA_IFALIAS, spec->alias);
    struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
    struct nlattr *ipv4 = mnl_attr_nest_start(header, AF_INET);
    struct nlattr *conf = mnl_attr_nest_start(header, IFLA_INET_CONF);
    mnl_attr_put_u32(header, IPV4_DEVCONF_ROUTE_LOCALNET, 1); /* the host's own connections by 127.0.0.1 */
    mnl_attr_put_u32(header, IPV4_DEVCONF_RP_FILTER, 1);
    mnl_attr_put_u32(header, IPV4_DEVCONF_SEND_REDIRECTS, 0);
    mnl_attr_put_u32(header, IPV4_DEVCONF_ACCEPT_REDIRECTS, 0);
    mnl_attr_nest_end(header, conf);
    mnl_attr_nest_end(header, ipv4);
    mnl_attr_nest_end(header, families);
    struct bh_error ignored;
    if (netlink_do(netlink, header, error, "set up bridge \"%s\"", spec->name) < 0 ||
        (!spec->ipv6 && link_stop_ipv6(netlink, link.index, error) < 0)) {
        (void)link_remove(netlink, link.index, &ignored);
        return -1;
    }
    *ret_index = link.index;
    return 0;
}

int link_make_veth(struct netlink *netlink, const struct veth_spec *spec, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_NEWLINK, MAKE);
    (void)put_info(header, 0);
    mnl_attr_put_strz(header, IFLA_IFNAME, spec->name);
    if (spec->mtu) {
        mnl_attr_put_u32(header, IFLA_MTU, spec->mtu);
    }
    if (spec->master) {
        mnl_attr_put_u32(header, IFLA_MASTER, spec->master);
    }
    struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
    mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
    (void)put_info(header, 0); /* appended, since it has the size of a multiple of four */
    mnl_attr_put_strz(header, IFLA_IFNAME, spec->peer_name);
    if (spec->peer_mac) {
        mnl_attr_put(header, IFLA_ADDRESS, 6, spec->peer_mac);
    }
    if (spec->mtu) {
        mnl_attr_put_u32(header, IFLA_MTU, spec->mtu);
    }
    if (spec->peer_namespace >= 0) {
        mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)spec->peer_namespace);
    }
    mnl_attr_nest_end(header, peer);
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, info);
    return netlink_do(netlink, header, error, "make links \"%s\" and \"%s\"", spec->name, spec->peer_name);
}

int link_make_macvlan(struct netlink *netlink, const struct macvlan_spec *spec, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_NEWLINK, MAKE);
    (void)put_info(header, 0);
    mnl_attr_put_strz(header, IFLA_IFNAME, spec->name);
    mnl_attr_put_u32(header, IFLA_LINK, spec->parent);
    mnl_attr_put_u32(header, IFLA_NET_NS_FD, (uint32_t)spec->namespace);
    mnl_attr_put(header, IFLA_ADDRESS, 6, spec->mac);
    if (spec->mtu) {
        mnl_attr_put_u32(header, IFLA_MTU, spec->mtu);
    }
    struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
    mnl_attr_put_strz(header, IFLA_INFO_KIND, "macvlan");
    struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
    mnl_attr_put_u32(header, IFLA_MACVLAN_MODE, spec->mode);
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, info);
    return netlink_do(netlink, header, error, "make link \"%s\"", spec->name);
}

/* ---- changing ---------------------------------------------------------------------------------------------- */

int link_set_port(struct netlink *netlink, uint32_t index, const char *alias, bool isolated, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_NEWLINK, 0);
    struct ifinfomsg *link = put_info(header, index);
    link->ifi_flags = IFF_UP;
    link->ifi_change = IFF_UP;
    mnl_attr_put_strz(header, IFLA_IFALIAS, alias);
    struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
    mnl_attr_put_strz(header, IFLA_INFO_SLAVE_KIND, "bridge");
    struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_SLAVE_DATA);
    mnl_attr_put_u8(header, IFLA_BRPORT_LEARNING, 0);
    mnl_attr_put_u8(header, IFLA_BRPORT_UNICAST_FLOOD, 0);
    mnl_attr_put_u8(header, IFLA_BRPORT_MODE, 1); /* hairpin */
    mnl_attr_put_u8(header, IFLA_BRPORT_ISOLATED, isolated);
    mnl_attr_nest_end(header, data);
    mnl_attr_nest_end(header, info);
    return netlink_do(netlink, header, error, "set up a port of a bridge");
}

int link_set_master(struct netlink *netlink, uint32_t index, uint32_t bridge, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_SETLINK, 0);
    (void)put_info(header, index);
    mnl_attr_put_u32(header, IFLA_MASTER, bridge);
    return netlink_do(netlink, header, error, "make a link a port of a bridge");
}

int link_set_alias(struct netlink *netlink, uint32_t index, const char *alias, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_SETLINK, 0);
    (void)put_info(header, index);
    mnl_attr_put_strz(header, IFLA_IFALIAS, alias);
    return netlink_do(netlink, header, error, "set a link's alias");
}

int link_stop_ipv6(struct netlink *netlink, uint32_t index, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_SETLINK, 0);
    (void)put_info(header, index);
    struct nlattr *families = mnl_attr_nest_start(header, IFLA_AF_SPEC);
    struct nlattr *ipv6 = mnl_attr_nest_start(header, AF_INET6);
    mnl_attr_put_u8(header, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(header, ipv6);
    mnl_attr_nest_end(header, families);
    if (netlink_do(netlink, header, error, "keep IPv6 off a link") < 0) {
        return error->sys_errno == EAFNOSUPPORT ? 0 : -1; /* this kernel has none */
    }
    return 0;
}

int link_set_up(struct netlink *netlink, uint32_t index, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_SETLINK, 0);
    struct ifinfomsg *link = put_info(header, index);
    link->ifi_flags = IFF_UP;
    link->ifi_change = IFF_UP;
    return netlink_do(netlink, header, error, "set a link up");
}

int link_remove(struct netlink *netlink, uint32_t index, struct bh_error *error)
{
    struct netlink_request request;
    struct nlmsghdr *header = netlink_begin(&request, RTM_DELLINK, 0);
    (void)put_info(header, index);
    return netlink_do(netlink, header, error, "remove link %u", index) < 0 && error->sys_errno != ENODEV ? -1 : 0;
}
