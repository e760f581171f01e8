/* SPDX-License-Identifier: Apache-2.0
 *
 * The link of one endpoint: made from the host straight into the container's network namespace, and set up there
 * through a socket that was opened in it.
 */
#pragma once

#include "netd.h"

/* Ways into a container. */
struct inside {
    int namespace;
    struct netlink route, rules;
};

/* Makes the link or takes over the one that an earlier life has left, and sets it up; *ret_made tells which. After an
 * error nothing is left. */
int endpoint_link_make(struct netd *netd, struct inside *inside, struct endpoint *endpoint, uint32_t tenant_uid,
                       bool *ret_made, struct bh_error *error);
/* Removes it. Absent is no error. */
int endpoint_link_remove(struct netd *netd, const struct endpoint *endpoint, struct bh_error *error);
/* It is a port of its bridge, which may have been made anew. One whose container has ended is no error. */
int endpoint_link_restore(struct netd *netd, const struct endpoint *endpoint, struct bh_error *error);
/* Its default routes are what it says. */
int endpoint_link_route(struct inside *inside, const struct endpoint *endpoint, struct bh_error *error);
