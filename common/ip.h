/* SPDX-License-Identifier: Apache-2.0
 *
 * IP addresses and subnets of either family, as bytes in network order: reading, writing, and the arithmetic that
 * networks need. Pure. Text may come from anybody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_BYTES_MAX        16
#define IP_TEXT_SIZE        46                 /* with its NUL */
#define IP_SUBNET_TEXT_SIZE (IP_TEXT_SIZE + 4) /* "/128" */

struct ip {
    uint8_t bytes[IP_BYTES_MAX];
    uint8_t n_bytes; /* 4 or 16; 0: no address. What is behind them is zero. */
};
struct ip_subnet {
    struct ip ip; /* may have bits behind the prefix, as it was written */
    uint32_t prefix;
};

/* An address without a prefix. No octal, no short forms. */
bool ip_parse(const char *text, struct ip *ret_ip);
/* "10.0.0.0/8", "fd00::/64" */
bool ip_parse_subnet(const char *text, struct ip_subnet *ret_subnet);
/* 4 or 16 bytes as they travel in messages. Anything else is no address. */
struct ip ip_from_bytes(const void *bytes, size_t n_bytes);
/* Both return `buffer`; "" for no address. */
const char *ip_text(const struct ip *ip, char buffer[static IP_TEXT_SIZE]);
const char *ip_subnet_text(const struct ip_subnet *subnet, char buffer[static IP_SUBNET_TEXT_SIZE]);

/* Order within a family; addresses of IPv4 come before those of IPv6. */
int ip_compare(const struct ip *left, const struct ip *right);
static inline bool ip_is_set(const struct ip *ip)
{
    return ip->n_bytes != 0;
}
static inline uint32_t ip_bits(const struct ip *ip)
{
    return ip->n_bytes * 8U;
}

/* The subnet's first and last address. */
struct ip ip_first(const struct ip_subnet *subnet);
struct ip ip_last(const struct ip_subnet *subnet);
bool ip_subnet_is_whole(const struct ip_subnet *subnet); /* no bit is set behind the prefix */
bool ip_subnet_contains(const struct ip_subnet *subnet, const struct ip *ip);
bool ip_subnets_overlap(const struct ip_subnet *left, const struct ip_subnet *right);
/* The address behind it, or before it; false if there is none. */
bool ip_next(struct ip *ip);
bool ip_previous(struct ip *ip);
/* Adds 2^(bits - prefix): the same place in the next subnet of that size. False beyond the last. */
bool ip_step(struct ip *ip, uint32_t prefix);
