/* SPDX-License-Identifier: Apache-2.0
 *
 * What of a resolv.conf counts.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "services/netd/dns_resolvers.h"

Test(dns_resolvers, lines)
{
    struct dns_resolvers resolvers = {0};
    dns_resolvers_parse(
        &resolvers,
        "# comment\nnameserver 127.0.0.53\nsearch a b\n nameserver\t::1 \nnameserver fe80::1%2\nnameserver 9.9.9.9\n");
    cr_assert_eq(resolvers.n, 3);
    cr_assert_eq(resolvers.servers[0].ipv4.sin_addr.s_addr, htonl(0x7f000035));
    cr_assert_eq(resolvers.servers[0].ipv4.sin_port, htons(53));
    cr_assert_eq(resolvers.servers[1].ipv6.sin6_family, AF_INET6);
    cr_assert_eq(resolvers.servers[2].ipv6.sin6_scope_id, 2);
}

Test(dns_resolvers, what_is_none)
{
    static const char *const texts[] = {"",
                                        "nameserver",
                                        "nameserver \n",
                                        "nameserver example.org\n",
                                        "nameserver 1.2.3\n",
                                        "nameservers 1.2.3.4\n",
                                        "#nameserver 1.2.3.4",
                                        "nameserver 1.2.3.4%1",
                                        "options nameserver 1.2.3.4"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct dns_resolvers resolvers = {.n = 3};
        dns_resolvers_parse(&resolvers, texts[i]);
        cr_assert_eq(resolvers.n, 0, "\"%s\"", texts[i]);
    }
}
