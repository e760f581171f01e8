/* SPDX-License-Identifier: Apache-2.0
 *
 * See ip.h.
 */
#include "common/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAMILY(ip) ((ip)->n_bytes == 4 ? AF_INET : AF_INET6)

bool ip_parse(const char *text, struct ip *ret_ip)
{
    struct ip ip = {.n_bytes = strchr(text, ':') ? 16 : 4};
    if (inet_pton(FAMILY(&ip), text, ip.bytes) != 1) {
        return false;
    }
    *ret_ip = ip;
    return true;
}

bool ip_parse_subnet(const char *text, struct ip_subnet *ret_subnet)
{
    char address[IP_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    struct ip_subnet subnet = {.prefix = 0};
    if (!slash || (size_t)(slash - text) >= sizeof address) {
        return false;
    }
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    const char *digits = slash + 1;
    size_t n_digits = strspn(digits, "0123456789");
    if (n_digits == 0 || n_digits > 3 || digits[n_digits] || (digits[0] == '0' && n_digits > 1) ||
        !ip_parse(address, &subnet.ip)) {
        return false;
    }
    subnet.prefix = (uint32_t)strtoul(digits, NULL, 10);
    if (subnet.prefix > ip_bits(&subnet.ip)) {
        return false;
    }
    *ret_subnet = subnet;
    return true;
}

struct ip ip_from_bytes(const void *bytes, size_t n_bytes)
{
    struct ip ip = {.n_bytes = n_bytes == 4 || n_bytes == 16 ? (uint8_t)n_bytes : 0};
    memcpy(ip.bytes, bytes ? bytes : "", ip.n_bytes);
    return ip;
}

const char *ip_text(const struct ip *ip, char buffer[static IP_TEXT_SIZE])
{
    if (!ip_is_set(ip) || !inet_ntop(FAMILY(ip), ip->bytes, buffer, IP_TEXT_SIZE)) {
        buffer[0] = '\0';
    }
    return buffer;
}

const char *ip_subnet_text(const struct ip_subnet *subnet, char buffer[static IP_SUBNET_TEXT_SIZE])
{
    char address[IP_TEXT_SIZE];
    buffer[0] = '\0';
    if (ip_is_set(&subnet->ip)) {
        (void)snprintf(buffer, IP_SUBNET_TEXT_SIZE, "%s/%u", ip_text(&subnet->ip, address), subnet->prefix % 1000);
    }
    return buffer;
}

int ip_compare(const struct ip *left, const struct ip *right)
{
    return left->n_bytes != right->n_bytes ? (int)left->n_bytes - (int)right->n_bytes
                                           : memcmp(left->bytes, right->bytes, left->n_bytes);
}

/* The bits of byte `i` that lie before the prefix. */
static uint8_t mask_of(uint32_t prefix, uint32_t i)
{
    return (uint8_t)(prefix >= (i + 1) * 8 ? 0xff : prefix <= i * 8 ? 0 : 0xff << (8 - prefix % 8));
}

struct ip ip_first(const struct ip_subnet *subnet)
{
    struct ip ip = subnet->ip;
    for (uint32_t i = 0; i < ip.n_bytes; i++) {
        ip.bytes[i] &= mask_of(subnet->prefix, i);
    }
    return ip;
}

struct ip ip_last(const struct ip_subnet *subnet)
{
    struct ip ip = subnet->ip;
    for (uint32_t i = 0; i < ip.n_bytes; i++) {
        ip.bytes[i] |= (uint8_t)~mask_of(subnet->prefix, i);
    }
    return ip;
}

bool ip_subnet_is_whole(const struct ip_subnet *subnet)
{
    const struct ip first = ip_first(subnet);
    return ip_compare(&first, &subnet->ip) == 0;
}

bool ip_subnet_contains(const struct ip_subnet *subnet, const struct ip *ip)
{
    for (uint32_t i = 0; i < ip->n_bytes; i++) {
        if ((ip->bytes[i] ^ subnet->ip.bytes[i]) & mask_of(subnet->prefix, i)) {
            return false;
        }
    }
    return ip_is_set(ip) && ip->n_bytes == subnet->ip.n_bytes;
}

bool ip_subnets_overlap(const struct ip_subnet *left, const struct ip_subnet *right)
{
    return ip_subnet_contains(left, &right->ip) || ip_subnet_contains(right, &left->ip);
}

bool ip_step(struct ip *ip, uint32_t prefix)
{
    if (prefix == 0 || prefix > ip_bits(ip)) {
        return false;
    }
    struct ip next = *ip;
    unsigned carry = 1U << ((8 - prefix % 8) % 8);
    for (uint32_t i = (prefix - 1) / 8 + 1; i-- > 0 && carry > 0;) {
        unsigned sum = next.bytes[i] + carry;
        next.bytes[i] = (uint8_t)sum;
        carry = sum >> 8;
    }
    if (carry > 0) {
        return false;
    }
    *ip = next;
    return true;
}

bool ip_next(struct ip *ip)
{
    return ip_step(ip, ip_bits(ip));
}

bool ip_previous(struct ip *ip)
{
    struct ip previous = *ip;
    for (uint32_t i = ip->n_bytes; i-- > 0;) {
        if (previous.bytes[i]-- != 0) {
            *ip = previous;
            return true;
        }
    }
    return false;
}
