/* SPDX-License-Identifier: Apache-2.0
 *
 * See ipam.h.
 */
#include "services/engine/ipam.h"

#include <string.h>

/* ---- subnets ------------------------------------------------------------------------------------- */

static const struct ip_subnet *find_overlap(const struct ip_subnet *subnet, const struct ip_subnet *taken,
                                            size_t n_taken)
{
    for (size_t i = 0; i < n_taken; i++) {
        if (ip_subnets_overlap(subnet, &taken[i])) {
            return &taken[i];
        }
    }
    return NULL;
}

/* True if the pool has one. Steps over what is taken, so that a pool of 2^40 subnets costs no more than what is. */
static bool choose_from(const struct ip_pool *pool, const struct ip_subnet *taken, size_t n_taken,
                        struct ip_subnet *ret_subnet)
{
    struct ip_subnet candidate = {.ip = pool->base.ip, .prefix = pool->size};
    const struct ip_subnet *other;
    while ((other = find_overlap(&candidate, taken, n_taken))) {
        uint32_t step = other->prefix < pool->size ? other->prefix : pool->size;
        struct ip_subnet whole = {.ip = candidate.ip, .prefix = step};
        candidate.ip = ip_first(&whole);
        if (!ip_step(&candidate.ip, step) || !ip_subnet_contains(&pool->base, &candidate.ip)) {
            return false;
        }
    }
    *ret_subnet = candidate;
    return true;
}

int ipam_choose_subnet(const struct ip_pool *pools, size_t n_pools, uint8_t n_bytes, const struct ip_subnet *taken,
                       size_t n_taken, struct ip_subnet *ret_subnet, struct bh_error *error)
{
    for (size_t i = 0; i < n_pools; i++) {
        if (pools[i].base.ip.n_bytes == n_bytes && choose_from(&pools[i], taken, n_taken, ret_subnet)) {
            return 0;
        }
    }
    return bh_error_set(error, BH_NOT_FOUND,
                        "could not find an available, non-overlapping IPv%d address pool among the defaults to assign "
                        "to the network",
                        n_bytes == 4 ? 4 : 6);
}

struct ip_subnet ipam_local_subnet(const uint8_t random[static 7])
{
    struct ip_subnet subnet = {.ip = ip_pool_local.base.ip, .prefix = (uint8_t)ip_pool_local.size};
    memcpy(subnet.ip.bytes + 1, random, 7); /* global id and subnet id */
    return subnet;
}

/* ---- addresses ----------------------------------------------------------------------------------- */

static bool is_among(const struct ip *list, size_t n_list, const struct ip *ip)
{
    for (size_t i = 0; i < n_list; i++) {
        if (ip_compare(&list[i], ip) == 0) {
            return true;
        }
    }
    return false;
}

/* The subnet's own address is nobody's, nor is the broadcast address of IPv4. */
static bool is_special(const struct ipam_space *space, const struct ip *ip)
{
    const struct ip first = ip_first(&space->subnet), last = ip_last(&space->subnet);
    return ip_compare(ip, &first) == 0 || (ip->n_bytes == 4 && ip_compare(ip, &last) == 0);
}

static struct ip_subnet range_of(const struct ipam_space *space)
{
    return ip_is_set(&space->range.ip) ? space->range : space->subnet;
}

/* The lowest free one from `from` to `to`, both included. */
static bool choose_between(const struct ipam_space *space, struct ip from, const struct ip *to, struct ip *ret_ip)
{
    size_t i = 0;
    while (ip_compare(&from, to) <= 0) {
        while (i < space->n_taken && ip_compare(&space->taken[i], &from) < 0) {
            i++;
        }
        bool taken = i < space->n_taken && ip_compare(&space->taken[i], &from) == 0;
        if (!taken && !is_special(space, &from) && !is_among(space->reserved, space->n_reserved, &from)) {
            *ret_ip = from;
            return true;
        }
        if (!ip_next(&from)) {
            return false;
        }
    }
    return false;
}

int ipam_choose_address(const struct ipam_space *space, struct ip *ret_ip, struct bh_error *error)
{
    const struct ip_subnet range = range_of(space);
    const struct ip first = ip_first(&range), last = ip_last(&range);
    struct ip behind = space->last;
    bool resumes = ip_subnet_contains(&range, &behind) && ip_next(&behind);
    if ((resumes && choose_between(space, behind, &last, ret_ip)) || choose_between(space, first, &last, ret_ip)) {
        return 0;
    }
    char text[IP_SUBNET_TEXT_SIZE];
    return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                        "no available IPv%d addresses on this network's address pools: %s", first.n_bytes == 4 ? 4 : 6,
                        ip_subnet_text(&range, text));
}

int ipam_choose_gateway(const struct ipam_space *space, struct ip *ret_ip, struct bh_error *error)
{
    const struct ip_subnet range = range_of(space);
    const struct ip first = ip_first(&range), last = ip_last(&range);
    return choose_between(space, first, &last, ret_ip)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT,
                              "failed to allocate gateway (): No available addresses on this pool");
}

int ipam_check_address(const struct ipam_space *space, const struct ip *ip, struct bh_error *error)
{
    char text[IP_TEXT_SIZE];
    if (!ip_subnet_contains(&space->subnet, ip)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Invalid address %s: It does not belong to any of this network's subnets",
                            ip_text(ip, text));
    }
    if (is_special(space, ip) || is_among(space->reserved, space->n_reserved, ip) ||
        is_among(space->taken, space->n_taken, ip)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Address already in use");
    }
    return 0;
}

void ipam_mac(const struct ip *ip, uint8_t ret_mac[static 6])
{
    ret_mac[0] = 0x02;
    ret_mac[1] = 0x42;
    memcpy(ret_mac + 2, ip->bytes + (ip->n_bytes == 16 ? 12 : 0), 4);
}
