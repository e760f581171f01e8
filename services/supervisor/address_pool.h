/* SPDX-License-Identifier: Apache-2.0
 *
 * One address pool as the configuration writes it, in Docker's way: "base=10.200.0.0/16,size=24".
 */
#pragma once

#include "common/error.h"
#include "common/ip_pools.h"

/* INVALID_ARGUMENT names what would have been right. Pure. */
int address_pool_parse(const char *text, struct ip_pool *ret_pool, struct bh_error *error);
