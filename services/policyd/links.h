/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that are linked to networks, between executor and netd: the executor opens the container's namespace, netd
 * makes the links with what was opened, and a container that starts runs its program only then. What was judged goes to
 * both, and neither sees the other.
 */
#pragma once

#include "container.pb-c.h"
#include "policyd.h"

/* Passes on the start of a container whose network is LINKED, as judged and filled in. Answers `request` whatever
 * happens, once nothing is left of a start that failed. */
void links_start(struct policyd *policyd, struct bh_request *request, const Bulkhead__StartContainer *start);

/* ConnectContainer: judges, writes down, and does it. */
void links_connect(struct bh_request *request);
