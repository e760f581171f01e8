/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host needs once, before it has its first network: that it forwards, and the ingress link, a pair that leads
 * back into the host, through which first packets for published ports are sent once more (ruleset.c).
 */
#pragma once

#include "netd.h"

/* Makes what is missing for a network with addresses of this family. If the host did not forward until now, it forwards
 * for networks of ours alone; the alias of the ingress link remembers that. */
int ingress_ensure(struct netd *netd, enum family family, struct bh_error *error);
/* Tells what is missing of it, a sentence each. */
int ingress_check(struct netd *netd, void (*tell)(const char *finding, void *argument), void *argument,
                  struct bh_error *error);
/* Makes again what is missing for the families that were asked for. */
int ingress_restore(struct netd *netd, struct bh_error *error);
