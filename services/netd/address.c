/* SPDX-License-Identifier: Apache-2.0
 *
 * See address.h.
 */
#include "address.h"

#include <string.h>
#include <sys/socket.h>

bool ip_is_zero(const struct ip *ip)
{
    static const uint8_t zero[IP_BYTES_MAX];
    return memcmp(ip->bytes, zero, ip->n_bytes) == 0;
}

bool ip_is_special(const struct ip *ip)
{
    static const struct ip_subnet special[] = {
        {{{0}, 4}, 8},           /* this host */
        {{{127}, 4}, 8},         /* loopback */
        {{{169, 254}, 4}, 16},   /* link-local; the ingress link is there */
        {{{224}, 4}, 3},         /* multicast, reserved, broadcast */
        {{{0}, 16}, 8},          /* unspecified, loopback, mapped and translated IPv4 */
        {{{0xfe, 0x80}, 16}, 9}, /* link-local, the old site-local */
        {{{0xff}, 16}, 8},       /* multicast */
    };
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
        if (ip_subnet_contains(&special[i], ip)) {
            return true;
        }
    }
    return false;
}

struct ip ip_link_local(const uint8_t mac[static 6])
{
    return (struct ip){
        .bytes = {0xfe, 0x80, [8] = (uint8_t)(mac[0] ^ 2), mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]},
        .n_bytes = 16};
}

int family_number(enum family family)
{
    return family == IPV4 ? AF_INET : AF_INET6;
}
