/* SPDX-License-Identifier: Apache-2.0
 *
 * Which subnet a network gets, and which address a container: pure. Who has what is told by the caller, who keeps it in
 * the database, whose constraints have the last word.
 */
#pragma once

#include "common/error.h"
#include "common/ip_pools.h"

/* The lowest subnet of that family, of the first pool that has one, which overlaps with none of `taken`. NOT_FOUND in
 * Docker's words. */
int ipam_choose_subnet(const struct ip_pool *pools, size_t n_pools, uint8_t n_bytes, const struct ip_subnet *taken,
                       size_t n_taken, struct ip_subnet *ret_subnet, struct bh_error *error);

/* A subnet of IPv6 nobody else has: unique local, 40 bits by random (RFC 4193). `random` is 7 bytes of it. */
struct ip_subnet ipam_local_subnet(const uint8_t random[static 7]);

/* Addresses of one subnet of a network. */
struct ipam_space {
    struct ip_subnet subnet;
    struct ip_subnet range;    /* addresses are given from this part; without an address: from all of it */
    const struct ip *reserved; /* gateway, auxiliary addresses; the subnet's own and the broadcast address count, too */
    size_t n_reserved;
    const struct ip *taken; /* in ascending order */
    size_t n_taken;
    struct ip last; /* the last one that was given; may be none */
};
/* The lowest that is free behind the last one, else the lowest of all. RESOURCE_EXHAUSTED if none is. */
int ipam_choose_address(const struct ipam_space *space, struct ip *ret_ip, struct bh_error *error);
/* The first address of the range that is not among the reserved ones: what a network's gateway is if nobody says. */
int ipam_choose_gateway(const struct ipam_space *space, struct ip *ret_ip, struct bh_error *error);
/* Whether this one may be given: FAILED_PRECONDITION "Address already in use", INVALID_ARGUMENT if it lies outside. */
int ipam_check_address(const struct ipam_space *space, const struct ip *ip, struct bh_error *error);

/* 02:42 and the address of IPv4, as Docker's; of IPv6 alone its last four bytes. */
void ipam_mac(const struct ip *ip, uint8_t ret_mac[static 6]);
