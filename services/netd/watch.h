/* SPDX-License-Identifier: Apache-2.0
 *
 * Somebody reloads the host's firewall and takes our tables along: they are put back as soon as the kernel tells.
 */
#pragma once

#include "netd.h"

int watch_start(struct netd *netd, struct bh_error *error);
void watch_stop(struct netd *netd);
