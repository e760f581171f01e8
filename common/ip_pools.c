/* SPDX-License-Identifier: Apache-2.0
 *
 * See ip_pools.h.
 */
#include "common/ip_pools.h"

static const struct ip_pools default_pools = {
    .n = 2,
    .list = {{{{{172, 16}, 4}, 12}, 20}, {{{{10, 128}, 4}, 9}, 20}},
};

const struct ip_pool ip_pool_local = {{{{0xfd}, 16}, 8}, 64};

void ip_pools_read(const Bulkhead__Config *config, struct ip_pools *ret_pools)
{
    struct ip_pools pools = {0};
    for (size_t i = 0; i < config->n_address_pools && i < IP_POOLS_MAX; i++) {
        const Bulkhead__AddressPool *pool = config->address_pools[i];
        pools.list[pools.n++] = (struct ip_pool){
            .base = {.ip = ip_from_bytes(pool->address.data, pool->address.len), .prefix = pool->prefix},
            .size = pool->size};
    }
    *ret_pools = pools.n ? pools : default_pools;
}
