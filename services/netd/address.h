/* SPDX-License-Identifier: Apache-2.0
 *
 * What netd needs of addresses beyond common/ip.h: things that exist once for each family. Pure.
 */
#pragma once

#include "common/ip.h"

enum family { IPV4, IPV6, FAMILIES };

/* Of a network. */
struct subnet {
    struct ip_subnet range; /* no bit is set behind the prefix; no address: there is none of this family */
    struct ip gateway;      /* no address: none */
};

/* IPV4 for no address, too. */
static inline enum family ip_family(const struct ip *ip)
{
    return ip->n_bytes == 16 ? IPV6 : IPV4;
}
static inline bool ip_equal(const struct ip *a, const struct ip *b)
{
    return ip_compare(a, b) == 0;
}
/* 4 or 16 bytes make an address; anything else makes none and returns false. */
static inline bool ip_read(const uint8_t *bytes, size_t n_bytes, struct ip *ret_ip)
{
    *ret_ip = ip_from_bytes(bytes, n_bytes);
    return ip_is_set(ret_ip);
}
/* "0.0.0.0" or "::". */
bool ip_is_zero(const struct ip *ip);
/* Of the host itself, a group, or a single link: nothing that a network may have. */
bool ip_is_special(const struct ip *ip);
/* The address that IPv6 makes of a MAC on a link of its own (RFC 4291, appendix A). */
struct ip ip_link_local(const uint8_t mac[static 6]);

/* AF_INET or AF_INET6. */
int family_number(enum family family);
