/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's options of a network's driver ("com.docker.network.bridge.enable_icc"), read into types. Pure; the words are
 * a client's. What would change how packets go and is not done here is refused, not ignored.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"
#include "common/ip.h"
#include "network.pb-c.h"

#define INTERFACE_NAME_SIZE 16 /* IFNAMSIZ */

struct network_options {
    uint32_t mtu; /* 0: the kernel's choice */
    bool isolated;
    bool masquerade;
    char bridge_name[INTERFACE_NAME_SIZE];
    char interface_prefix[INTERFACE_NAME_SIZE - 4]; /* of interfaces in containers: "eth" */
    struct ip host_binding;                         /* ports without a host address are published on this one */
    char parent[INTERFACE_NAME_SIZE];               /* macvlan */
    Bulkhead__MacvlanMode macvlan_mode;
};
/* INVALID_ARGUMENT in Docker's words; UNIMPLEMENTED for what Docker has and we have not. */
int network_options_read(const Bulkhead__NetworkRequest *request, struct network_options *ret_options,
                         struct bh_error *error);
