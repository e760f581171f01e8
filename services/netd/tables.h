/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables as netd wants them: changes that survive somebody else's, such as a firewall that was flushed or what a
 * netd before this one has left.
 */
#pragma once

#include "elements.h"
#include "netd.h"

/* Takes elements out and puts others in, all or nothing. Where the tables are not as they should be, they are replaced.
 */
int tables_change(struct netd *netd, const struct elements *remove, const struct elements *add, struct bh_error *error);
/* Replaces the tables by what netd knows, and, before it has settled, what the kernel has besides. */
int tables_replace(struct netd *netd, struct bh_error *error);
