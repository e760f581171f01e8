/* SPDX-License-Identifier: Apache-2.0
 *
 * Published ports: reserved by binding them on the host, so that nobody else gets them, and nobody who has them loses
 * them. Nothing is ever received there: the rules lead it away before.
 */
#pragma once

#include "netd.h"
#include "spec.h"

/* Does the port fulfil the wish? */
bool port_fulfils(const struct port *port, const struct port_wish *wish);
/* Does the wish lead anywhere, with the container's addresses being these? */
bool port_has_target(const struct port_wish *wish, const struct ip to[static FAMILIES]);
/* Reserves the first free port of the wish for the families of `to` that it wants. ALREADY_EXISTS: it is taken, or all
 * of them are (the text is Docker's). */
int port_reserve(const struct netd *netd, const struct port_wish *wish, const struct ip to[static FAMILIES],
                 struct port *ret_port, struct bh_error *error);

void port_release(struct port *port);
void ports_release(struct port *ports, size_t n_ports);
