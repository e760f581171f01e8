/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of subnets; see subnets.h. Pure.
 */
#include "subnets.h"

#include <stdio.h>
#include <string.h>

static const char all[] = "*", of_pools[] = "pools";

/* ---- one of the pools ------------------------------------------------------------------------------------- */

static bool lies_within(const struct ip_subnet *subnet, const struct ip_subnet *range)
{
    return subnet->ip.n_bytes == range->ip.n_bytes && subnet->prefix >= range->prefix &&
           ip_subnet_contains(range, &subnet->ip);
}

/* The pools and, unless one of them is of IPv6, its local addresses. NULL behind the last one. */
static const struct ip_pool *pool_at(const struct ip_pools *pools, size_t i)
{
    if (i < pools->n) {
        return &pools->list[i];
    }
    for (size_t k = 0; k < pools->n; k++) {
        if (pools->list[k].base.ip.n_bytes == 16) {
            return NULL;
        }
    }
    return i == pools->n ? &ip_pool_local : NULL;
}

static bool is_of_pools(const struct ip_pools *pools, const struct ip_subnet *subnet)
{
    const struct ip_pool *pool;
    for (size_t i = 0; (pool = pool_at(pools, i)); i++) {
        if (subnet->prefix >= pool->size && lies_within(subnet, &pool->base)) {
            return true;
        }
    }
    return false;
}

/* ---- patterns --------------------------------------------------------------------------------------------- */

bool subnets_is_pattern(const char *text)
{
    struct ip_subnet range;
    return strcmp(text, all) == 0 || strcmp(text, of_pools) == 0 ||
           (ip_parse_subnet(text, &range) && ip_subnet_is_whole(&range));
}

bool subnets_allow(const struct rules_list *patterns, const struct ip_pools *pools, const struct ip_subnet *subnet)
{
    for (size_t i = 0; i < patterns->n; i++) {
        const char *pattern = patterns->items[i];
        struct ip_subnet range;
        if (strcmp(pattern, all) == 0 || (strcmp(pattern, of_pools) == 0 && is_of_pools(pools, subnet)) ||
            (ip_parse_subnet(pattern, &range) && lies_within(subnet, &range))) {
            return true;
        }
    }
    return false;
}

static void add(char buffer[static SUBNETS_TEXT_SIZE], const char *text)
{
    size_t used = strlen(buffer);
    (void)snprintf(buffer + used, SUBNETS_TEXT_SIZE - used, "%s%s", used ? ", " : "", text);
}

const char *subnets_text(const struct rules_list *patterns, const struct ip_pools *pools,
                         char buffer[static SUBNETS_TEXT_SIZE])
{
    buffer[0] = '\0';
    for (size_t i = 0; i < patterns->n; i++) {
        const struct ip_pool *pool = NULL;
        for (size_t k = 0; strcmp(patterns->items[i], of_pools) == 0 && (pool = pool_at(pools, k)); k++) {
            char base[IP_SUBNET_TEXT_SIZE], text[IP_SUBNET_TEXT_SIZE + 24];
            (void)snprintf(text, sizeof(text), "%s (by /%u or less)", ip_subnet_text(&pool->base, base), pool->size);
            add(buffer, text);
        }
        if (strcmp(patterns->items[i], of_pools) != 0) {
            add(buffer, patterns->items[i]);
        }
    }
    if (!buffer[0]) {
        add(buffer, "nothing");
    }
    return buffer;
}
