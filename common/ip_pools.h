/* SPDX-License-Identifier: Apache-2.0
 *
 * The address pools, of which networks get the subnets that nobody names: as configured, or the default ones. The
 * engine chooses from them; policyd lets tenants have nothing else. Pure.
 */
#pragma once

#include "common/ip.h"
#include "config.pb-c.h"

#define IP_POOLS_MAX 64

/* A range of addresses, cut into subnets of one size. */
struct ip_pool {
    struct ip_subnet base; /* no bit set behind the prefix */
    uint32_t size;         /* prefix of the subnets, at least that of the base */
};
struct ip_pools {
    size_t n;
    struct ip_pool list[IP_POOLS_MAX];
};

/* Those of the supervisor's configuration; where it has none, private addresses in subnets of 4094 containers. */
void ip_pools_read(const Bulkhead__Config *config, struct ip_pools *ret_pools);

/* Networks of IPv6 have subnets of this size, chosen by random, from these addresses (RFC 4193) where no pool has one.
 */
extern const struct ip_pool ip_pool_local;
