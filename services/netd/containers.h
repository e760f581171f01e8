/* SPDX-License-Identifier: Apache-2.0
 *
 * Linking containers: links, published ports, elements of the tables, names. All or nothing.
 */
#pragma once

#include "netd.h"
#include "policyd_netd.pb-c.h"

#define LINK_FDS_MIN 3 /* namespace, rtnetlink socket, netfilter socket */
#define LINK_FDS_MAX 6 /* and three for DNS */

/* See proto/policyd_netd.proto. `fds` are owned whatever happens. *ret_container has the ports that were taken. */
int containers_link(struct netd *netd, const Bulkhead__LinkContainer *message, int fds[static LINK_FDS_MAX],
                    size_t n_fds, const struct container **ret_container, struct bh_error *error);
/* See proto/container.proto. */
int containers_disconnect(struct netd *netd, const Bulkhead__DisconnectContainer *message, struct bh_error *error);
