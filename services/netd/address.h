/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses and subnets of both families, as bytes in network order. Pure.
 */
#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum family { IPV4, IPV6, FAMILIES };

#define ADDRESS_BYTES_MAX 16
#define ADDRESS_TEXT_SIZE (INET6_ADDRSTRLEN + 4) /* with a prefix */

struct address {
    enum family family;
    uint8_t n_bytes; /* 4 or 16; 0: none */
    uint8_t bytes[ADDRESS_BYTES_MAX];
};

struct subnet {
    struct address address; /* no bit behind the prefix; n_bytes 0: none */
    struct address gateway; /* n_bytes 0: none */
    uint32_t prefix;
};

/* 4 or 16 bytes make an address; anything else makes none and returns false. */
bool address_read(const uint8_t *bytes, size_t n_bytes, struct address *ret_address);
bool address_equal(const struct address *a, const struct address *b);
bool address_is_zero(const struct address *address);
/* AF_INET or AF_INET6. */
int address_family(enum family family);
/* Writes "172.16.0.1" or "fd00::1"; returns `text`. */
const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);
/* Writes "172.16.0.0/20". */
const char *subnet_text(const struct address *address, uint32_t prefix, char text[static ADDRESS_TEXT_SIZE]);

/* Are the first `prefix` bits the same? Addresses of one family. */
bool address_same_prefix(const struct address *a, const struct address *b, uint32_t prefix);
/* Two subnets of one family with an address in common. */
bool subnet_overlaps(const struct address *a, uint32_t a_prefix, const struct address *b, uint32_t b_prefix);
/* No bit is set behind the prefix. */
bool subnet_is_clean(const struct address *address, uint32_t prefix);
/* First or last address of the subnet. */
void subnet_first(const struct address *address, uint32_t prefix, struct address *ret_address);
void subnet_last(const struct address *address, uint32_t prefix, struct address *ret_address);

/* Of the host itself, a group, or a single link: nothing that a network may have. */
bool address_is_special(const struct address *address);

/* The address that IPv6 makes of a MAC on a link of its own (RFC 4291, appendix A). */
void address_link_local(const uint8_t mac[static 6], struct address *ret_address);
