/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a network's addresses are free on this host.
 */
#pragma once

#include "netd.h"

/* ALREADY_EXISTS, naming both, if a subnet of the network has addresses in common with another network's or with a
 * route of the host's that does not lead to the network itself. Routes to (nearly) everywhere do not count. */
int overlap_check(struct netd *netd, const struct network *network, struct bh_error *error);
