/* SPDX-License-Identifier: Apache-2.0
 *
 * See address.h.
 */
#include "address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool address_read(const uint8_t *bytes, size_t n_bytes, struct address *ret_address)
{
    *ret_address = (struct address){.family = n_bytes == 16 ? IPV6 : IPV4};
    if (n_bytes != 4 && n_bytes != 16) {
        return false;
    }
    ret_address->n_bytes = (uint8_t)n_bytes;
    memcpy(ret_address->bytes, bytes, n_bytes);
    return true;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

bool address_is_zero(const struct address *address)
{
    static const uint8_t zero[ADDRESS_BYTES_MAX];
    return memcmp(address->bytes, zero, address->n_bytes) == 0;
}

int address_family(enum family family)
{
    return family == IPV4 ? AF_INET : AF_INET6;
}

const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
    if (address->n_bytes == 0 || !inet_ntop(address_family(address->family), address->bytes, text, INET6_ADDRSTRLEN)) {
        (void)snprintf(text, ADDRESS_TEXT_SIZE, "none");
    }
    return text;
}

const char *subnet_text(const struct address *address, uint32_t prefix, char text[static ADDRESS_TEXT_SIZE])
{
    (void)address_text(address, text);
    size_t length = strlen(text);
    (void)snprintf(text + length, ADDRESS_TEXT_SIZE - length, "/%u", prefix & 0xff);
    return text;
}

static uint8_t mask_of(uint32_t prefix, size_t byte)
{
    uint32_t before = (uint32_t)byte * 8;
    return prefix <= before ? 0 : prefix - before >= 8 ? 0xff : (uint8_t)(0xff << (8 - (prefix - before)));
}

bool address_same_prefix(const struct address *a, const struct address *b, uint32_t prefix)
{
    for (size_t i = 0; i < a->n_bytes; i++) {
        if ((a->bytes[i] ^ b->bytes[i]) & mask_of(prefix, i)) {
            return false;
        }
    }
    return a->n_bytes == b->n_bytes;
}

bool subnet_overlaps(const struct address *a, uint32_t a_prefix, const struct address *b, uint32_t b_prefix)
{
    return address_same_prefix(a, b, a_prefix < b_prefix ? a_prefix : b_prefix);
}

void subnet_first(const struct address *address, uint32_t prefix, struct address *ret_address)
{
    *ret_address = *address;
    for (size_t i = 0; i < address->n_bytes; i++) {
        ret_address->bytes[i] &= mask_of(prefix, i);
    }
}

void subnet_last(const struct address *address, uint32_t prefix, struct address *ret_address)
{
    *ret_address = *address;
    for (size_t i = 0; i < address->n_bytes; i++) {
        ret_address->bytes[i] |= (uint8_t)~mask_of(prefix, i);
    }
}

bool subnet_is_clean(const struct address *address, uint32_t prefix)
{
    struct address first;
    subnet_first(address, prefix, &first);
    return address_equal(&first, address);
}

bool address_is_special(const struct address *address)
{
    static const struct {
        struct address address;
        uint32_t prefix;
    } special[] = {
        {{IPV4, 4, {0}}, 8},           /* this host */
        {{IPV4, 4, {127}}, 8},         /* loopback */
        {{IPV4, 4, {169, 254}}, 16},   /* link-local; the ingress link is there */
        {{IPV4, 4, {224}}, 3},         /* multicast, reserved, broadcast */
        {{IPV6, 16, {0}}, 8},          /* unspecified, loopback, mapped and translated IPv4 */
        {{IPV6, 16, {0xfe, 0x80}}, 9}, /* link-local, the old site-local */
        {{IPV6, 16, {0xff}}, 8},       /* multicast */
    };
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (address_same_prefix(&special[i].address, address, special[i].prefix)) {
            return true;
        }
    }
    return false;
}

void address_link_local(const uint8_t mac[static 6], struct address *ret_address)
{
    *ret_address = (struct address){.family = IPV6, .n_bytes = 16, .bytes = {0xfe, 0x80}};
    const uint8_t identifier[8] = {(uint8_t)(mac[0] ^ 2), mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};
    memcpy(ret_address->bytes + 8, identifier, sizeof(identifier));
}
