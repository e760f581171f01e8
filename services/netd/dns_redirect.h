/* SPDX-License-Identifier: Apache-2.0
 *
 * 127.0.0.11 port 53 in a container, where resolv.conf points, without taking that port from the container: its own
 * network namespace translates it to where the DNS worker's sockets are bound.
 */
#pragma once

#include "netlink.h"

/* Puts a table of our name into the namespace in which the netfilter socket lies, in place of an earlier one. `udp` and
 * `tcp` are sockets bound there. */
int dns_redirect(struct netlink *rules, const char *table, int udp, int tcp, struct bh_error *error);
