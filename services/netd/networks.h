/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks: a bridge and its elements in the tables each (of a macvlan network the kernel knows nothing until somebody
 * is linked to it).
 */
#pragma once

#include "netd.h"
#include "policyd_netd.pb-c.h"

#define NETWORKS_MAX 4096 /* of all tenants: each costs a link and its place in every packet's way */

/* See proto/network.proto. */
int networks_make(struct netd *netd, const Bulkhead__MakeNetwork *message, struct bh_error *error);
int networks_drop(struct netd *netd, const Bulkhead__DropNetwork *message, struct bh_error *error);

/* Makes the bridges that are missing, and gives them their ports. */
int networks_restore(struct netd *netd, struct bh_error *error);

/* Removes a bridge and whatever is left of its ports. */
int networks_remove_bridge(struct netd *netd, uint32_t index, struct bh_error *error);
