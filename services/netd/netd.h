/* SPDX-License-Identifier: Apache-2.0
 *
 * What netd knows: networks, what is linked to them, and the ports that lead there. All of it was told by policyd since
 * netd started; the kernel has the same in links and rules, which outlive netd.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "address.h"
#include "common/service.h"
#include "closer.h"
#include "dns.h"
#include "netlink.h"
#include "network.pb-c.h"

#define NETD_ID_BYTES   32
#define NETD_NAME_BYTES 256 /* of a network's name */
#define NETD_TABLE_SIZE 16

struct container;

struct network {
    LIST_ENTRY(network) next;
    uint8_t id[NETD_ID_BYTES];
    uint32_t tenant_uid;
    char name[NETD_NAME_BYTES];
    Bulkhead__NetworkDriver driver;
    struct subnet subnets[FAMILIES];
    bool internal, isolated, masquerade;
    uint32_t mtu;
    char link[IFNAMSIZ];   /* bridge: its name; macvlan: empty */
    char parent[IFNAMSIZ]; /* macvlan */
    Bulkhead__MacvlanMode mode;
    uint32_t index; /* of the bridge */
    LIST_HEAD(, endpoint) endpoints;
};

struct endpoint {
    LIST_ENTRY(endpoint) of_network;
    LIST_ENTRY(endpoint) of_container;
    struct network *network;
    struct container *container;
    uint8_t id[NETD_ID_BYTES];
    uint8_t mac[6];
    struct ip addresses[FAMILIES]; /* without bytes where it has none */
    bool default_route[FAMILIES];
    char interface[IFNAMSIZ]; /* in the container */
    char link[IFNAMSIZ];      /* its other end in the host; macvlan: empty */
    uint32_t index;           /* of that */
    int inside;               /* macvlan: an rtnetlink socket of the container's, to remove the link by; else -1 */
};

/* A port that is published. Ports of a container hang on its first endpoint that can be reached from outside. */
struct port {
    Bulkhead__Transport transport;
    uint16_t container_port, host_port;
    bool everywhere;        /* all addresses of the host */
    struct ip host;         /* the one, or the family of all; without bytes: of both families */
    int reserved[FAMILIES]; /* sockets that hold it; -1 where none */
    struct ip to[FAMILIES]; /* the container's addresses it leads to */
};

struct container {
    LIST_ENTRY(container) next;
    uint8_t id[NETD_ID_BYTES];
    uint32_t tenant_uid;
    LIST_HEAD(, endpoint) endpoints;
    struct port *ports;
    size_t n_ports;
    Bulkhead__Attachment *attachment; /* as it was asked for last */
    bool has_dns;                     /* its sockets are being served */
};

struct rules;
struct found_links;

struct netd {
    struct bh_service_context *context;
    char prefix[3];              /* of link names */
    char table[NETD_TABLE_SIZE]; /* name of the tables, and first word of links' aliases */
    struct netlink route;        /* the host's links, addresses and routes */
    struct netlink connections;  /* those that the kernel remembers */
    struct rules *rules;         /* the host's tables */
    struct found_links *found;   /* what an earlier life left; NULL once settled */
    LIST_HEAD(, network) networks;
    LIST_HEAD(, container) containers;
    struct dns dns;
    struct closer closer;
    uint64_t host_device, host_inode; /* of the host's network namespace */
    bool ingress_made[FAMILIES];
};

struct network *netd_find_network(const struct netd *netd, const uint8_t id[static NETD_ID_BYTES]);
struct container *netd_find_container(const struct netd *netd, const uint8_t id[static NETD_ID_BYTES]);
struct endpoint *netd_find_endpoint(const struct container *container, const uint8_t id[static NETD_ID_BYTES]);

/* Forget, and nothing else: what the kernel has stays. Accept NULL. */
void netd_free_endpoint(struct endpoint *endpoint);
void netd_free_container(struct container *container);
void netd_free_network(struct network *network);
