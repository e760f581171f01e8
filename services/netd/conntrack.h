/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections that the kernel remembers from before a port was published, or from one that no longer is: with UDP a
 * client that goes on sending would be led there for ever.
 */
#pragma once

#include "elements.h"
#include "netlink.h"

/* Has the kernel forget the UDP connections to the ports among these elements. */
int conntrack_forget(struct netlink *netfilter, const struct elements *elements, struct bh_error *error);
