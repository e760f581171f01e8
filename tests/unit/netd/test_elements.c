/* SPDX-License-Identifier: Apache-2.0
 *
 * What networks, endpoints and ports mean in the tables, as nft would read it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "services/netd/elements.h"

/* All elements, a line each: "ip bridges: ...". */
static const char *printed(const struct elements *elements)
{
    static char text[4096];
    FILE *stream = fmemopen(text, sizeof(text), "w");
    for (size_t i = 0; i < elements->n; i++) {
        const struct element *element = &elements->list[i];
        (void)fprintf(stream, "%s %s: ", table_family_name(element->table), set_name(element->set));
        element_print(element, stream);
        (void)fputc('\n', stream);
    }
    (void)fclose(stream);
    return text;
}

static struct network bridge(void)
{
    struct network network = {.link = "bh-0123456789ab", .masquerade = true};
    const uint8_t address[4] = {172, 16, 16, 0};
    cr_assert(ip_read(address, sizeof(address), &network.subnets[IPV4].range.ip));
    network.subnets[IPV4].range.prefix = 20;
    return network;
}

Test(elements, a_network_is_known_to_both_tables)
{
    struct network network = bridge();
    bh_autoelements struct elements elements = {0};
    elements_of_network(&network, &elements);
    cr_expect_str_eq(printed(&elements), "ip bridges: \"bh-0123456789ab\"\n"
                                         "ip same: \"bh-0123456789ab\" . \"bh-0123456789ab\"\n"
                                         "ip6 bridges: \"bh-0123456789ab\"\n"
                                         "ip6 same: \"bh-0123456789ab\" . \"bh-0123456789ab\"\n"
                                         "ip subnets: \"bh-0123456789ab\" . 172.16.16.0-172.16.31.255\n");
}

Test(elements, what_a_network_forbids_is_said)
{
    struct network network = bridge();
    network.internal = network.isolated = true;
    network.masquerade = false;
    bh_autoelements struct elements elements = {0};
    elements_of_network(&network, &elements);
    cr_expect_not(strstr(printed(&elements), "same"));
    cr_expect(strstr(printed(&elements), "ip internal: \"bh-0123456789ab\"\nip plain: \"bh-0123456789ab\"\n"));
}

Test(elements, an_endpoint_may_send_what_is_its_own)
{
    struct endpoint endpoint = {.link = "bhv001122334455", .mac = {2, 0x42, 172, 16, 16, 2}};
    const uint8_t ipv4[4] = {172, 16, 16, 2}, ipv6[16] = {0xfd, 0, [15] = 2};
    cr_assert(ip_read(ipv4, sizeof(ipv4), &endpoint.addresses[IPV4]));
    cr_assert(ip_read(ipv6, sizeof(ipv6), &endpoint.addresses[IPV6]));
    bh_autoelements struct elements elements = {0};
    elements_of_endpoint(&endpoint, &elements);
    cr_expect_str_eq(printed(&elements), "bridge macs: \"bhv001122334455\" . 02:42:ac:10:10:02\n"
                                         "bridge sources4: \"bhv001122334455\" . 172.16.16.2\n"
                                         "bridge sources6: \"bhv001122334455\" . fd00::2\n"
                                         "bridge sources6: \"bhv001122334455\" . fe80::42:acff:fe10:1002\n"
                                         "bridge targets6: \"bhv001122334455\" . 0xfd000000000000000000000000000002\n"
                                         "bridge targets6: \"bhv001122334455\" . 0xfe800000000000000042acfffe101002\n");
}

Test(elements, a_port_leads_there_in_each_family_that_is_wanted)
{
    struct port port = {
        .transport = BULKHEAD__TRANSPORT__TRANSPORT_UDP, .container_port = 53, .host_port = 5353, .everywhere = true};
    const uint8_t ipv4[4] = {172, 16, 16, 2}, ipv6[16] = {0xfd, 0, [15] = 2}, host[4] = {198, 51, 100, 1};
    cr_assert(ip_read(ipv4, sizeof(ipv4), &port.to[IPV4]));
    cr_assert(ip_read(ipv6, sizeof(ipv6), &port.to[IPV6]));
    bh_autoelements struct elements both = {0}, one = {0};
    elements_of_port(&port, &both);
    cr_expect_str_eq(printed(&both),
                     "ip ports_any: 17 . 5353 : 172.16.16.2 . 53\nip6 ports_any: 17 . 5353 : fd00::2 . 53\n");
    port.everywhere = false;
    cr_assert(ip_read(host, sizeof(host), &port.host));
    elements_of_port(&port, &one);
    cr_expect_str_eq(printed(&one), "ip ports: 198.51.100.1 . 17 . 5353 : 172.16.16.2 . 53\n");
}

Test(elements, macvlan_is_no_business_of_the_tables)
{
    struct network network = bridge();
    struct endpoint endpoint = {0};
    network.link[0] = '\0';
    bh_autoelements struct elements elements = {0};
    elements_of_network(&network, &elements);
    elements_of_endpoint(&endpoint, &elements);
    cr_expect_eq(elements.n, 0u);
}
