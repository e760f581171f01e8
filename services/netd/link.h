/* SPDX-License-Identifier: Apache-2.0
 *
 * Links, their addresses, routes and neighbours, each operation one request to the kernel. Whichever network namespace
 * the netlink socket was opened in is the one that changes.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "common/error.h"
#include "netlink.h"

#define LINK_ALIAS_SIZE 256

/* A link as the kernel tells it. */
struct link {
    uint32_t index, master; /* master 0: none */
    char name[IFNAMSIZ];
    char kind[16];               /* "bridge", "veth"...; empty: a device */
    char alias[LINK_ALIAS_SIZE]; /* empty: none */
    uint8_t mac[6];
};

/* NOT_FOUND if there is none. */
int link_find(struct netlink *netlink, const char *name, struct link *ret_link, struct bh_error *error);
int link_find_index(struct netlink *netlink, uint32_t index, struct link *ret_link, struct bh_error *error);
/* All of them: `see` is called with each. */
int link_list(struct netlink *netlink, void (*see)(const struct link *link, void *argument), void *argument,
              struct bh_error *error);

struct bridge_spec {
    const char *name, *alias;
    uint32_t mtu; /* 0: the kernel's choice */
    bool ipv6;    /* has an address of its own on the link */
};
/* A bridge that is down: without spanning tree or multicast snooping, with a MAC of its own, on which packets for
 * 127.0.0.0/8 are routed. ALREADY_EXISTS if there is a link of that name. */
int link_make_bridge(struct netlink *netlink, const struct bridge_spec *spec, uint32_t *ret_index,
                     struct bh_error *error);

struct veth_spec {
    const char *name;      /* of our end */
    uint32_t master;       /* a bridge; 0: none */
    uint32_t mtu;          /* of both ends; 0: the kernel's choice */
    const char *peer_name; /* of the other one */
    const uint8_t *peer_mac;
    int peer_namespace; /* descriptor; -1: ours */
};
int link_make_veth(struct netlink *netlink, const struct veth_spec *spec, struct bh_error *error);

/* A link with a MAC of its own on top of a parent of ours, in another namespace. `mode` is one of MACVLAN_MODE_*. */
struct macvlan_spec {
    const char *name;
    uint32_t parent, mode, mtu;
    const uint8_t *mac;
    int namespace;
};
int link_make_macvlan(struct netlink *netlink, const struct macvlan_spec *spec, struct bh_error *error);

/* What a bridge's port may do: nothing is learned from it, unknown destinations are not sent to it. What is for its own
 * MAC comes back to it: with br_netfilter, translated packets are bridged where they would be routed otherwise, and one
 * may be for its sender. */
int link_set_port(struct netlink *netlink, uint32_t index, const char *alias, bool isolated, struct bh_error *error);
/* Makes the link a port of the bridge. */
int link_set_master(struct netlink *netlink, uint32_t index, uint32_t bridge, struct bh_error *error);
int link_set_alias(struct netlink *netlink, uint32_t index, const char *alias, struct bh_error *error);
/* No IPv6 address comes by itself. The link is down. */
int link_stop_ipv6(struct netlink *netlink, uint32_t index, struct bh_error *error);
int link_set_up(struct netlink *netlink, uint32_t index, struct bh_error *error);
/* Absent is no error. */
int link_remove(struct netlink *netlink, uint32_t index, struct bh_error *error);

/* Present is no error. Duplicates are not looked for: nobody else hands out these. */
int link_add_address(struct netlink *netlink, uint32_t index, const struct ip *address, uint32_t prefix,
                     struct bh_error *error);
/* `to` without bytes is the default route; `gateway` NULL: on the link itself. Replaces one to the same. */
int link_add_route(struct netlink *netlink, uint32_t index, enum family family, const struct ip *to,
                   const struct ip *gateway, struct bh_error *error);
int link_remove_default_route(struct netlink *netlink, uint32_t index, enum family family, struct bh_error *error);
/* The MAC of an address, for ever. */
int link_add_neighbour(struct netlink *netlink, uint32_t index, const struct ip *address, const uint8_t mac[static 6],
                       struct bh_error *error);
/* The bridge's port behind which a MAC is, for ever. */
int link_add_port_mac(struct netlink *netlink, uint32_t port, const uint8_t mac[static 6], struct bh_error *error);
