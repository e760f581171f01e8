/* SPDX-License-Identifier: Apache-2.0
 *
 * What netd and its workers may touch: the host's network, and no file but the switches of that network.
 */
#include "sandbox.h"

#include <sched.h>
#include <sys/capability.h>

#include "common/limits.h"

#define HOLD(capability) (1ULL << (capability))

const struct bh_sandbox netd_sandbox = {
    .role = BH_ROLE_NETD,
    .unshare = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_EMPTY,
    .views =
        {
            {.host = "/proc/sys/net", .inside = "/proc/sys/net", .writable = true},
            {.host = "/etc/resolv.conf", .inside = "/etc/resolv.conf", .optional = true},
        },
    .capabilities = HOLD(CAP_NET_ADMIN)           /* links, addresses, routes, rules */
                    | HOLD(CAP_NET_BIND_SERVICE), /* published ports below 1024 are reserved by binding them */
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FORK_WORKER, BH_SYS_FILES_READ, BH_SYS_NETWORK,
                 BH_SYS_STREAM, BH_SYS_NETLINK},
    .also = {"accept4"}, /* its workers': a filter can only be narrowed */
    /* a descriptor for each address family of each published port */
    .limits = {.memory_bytes = 512 * BH_MIB, .file_bytes = 1 * BH_MIB, .descriptors = 65536, .processes = 8192},
    .workers = {{"dns", &netd_dns_sandbox}, {"closer", &netd_closer_sandbox}},
    .knowingly =
        {
            "network: shares the host's network namespace, whose links and rules are its work",
            "CAP_SYS_ADMIN, setns: left out; it works inside containers through sockets that were opened in there",
            "CAP_NET_RAW: left out; it sends and receives no packet",
            "/proc/sys/net: writable as far as CAP_NET_ADMIN reaches, for forwarding and for its own bridges",
            "DNS: a worker per tenant, without capabilities, reads the containers' questions and the resolvers' "
            "answers",
        },
};

const struct bh_worker_sandbox netd_dns_sandbox = {
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FILES_READ, BH_SYS_NETWORK, BH_SYS_STREAM},
    .also = {"accept4"}, /* questions over TCP */
    .memory_bytes = 128 * BH_MIB,
    .file_bytes = 1 * BH_MIB,
};

const struct bh_worker_sandbox netd_closer_sandbox = {
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL},
    .memory_bytes = 64 * BH_MIB,
    .file_bytes = 1 * BH_MIB,
};
