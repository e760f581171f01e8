/* SPDX-License-Identifier: Apache-2.0
 *
 * What the rule "subnets" says: which addresses a network may have. The host, and with it everybody on it, is led into
 * a network whatever its addresses are, so a tenant may not take those of machines elsewhere. "pools" are the engine's
 * address pools, in pieces no larger than it cuts itself, so that nobody has all of one; "*" is everything;
 * "10.0.0.0/8" is all within it.
 */
#pragma once

#include <stdbool.h>

#include "common/ip_pools.h"
#include "rules.h"

/* Whether `text` is such a pattern. */
bool subnets_is_pattern(const char *text);

/* Whether one of the patterns allows it. Where no pool is of IPv6, its local addresses (RFC 4193) are one. */
bool subnets_allow(const struct rules_list *patterns, const struct ip_pools *pools, const struct ip_subnet *subnet);

/* What is allowed, in words: "172.16.0.0/12 (by /20 or less), 192.168.0.0/16". Returns `buffer`. */
#define SUBNETS_TEXT_SIZE 200
const char *subnets_text(const struct rules_list *patterns, const struct ip_pools *pools,
                         char buffer[static SUBNETS_TEXT_SIZE]);
