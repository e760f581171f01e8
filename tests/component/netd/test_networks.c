/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks are made, found again, refused and dropped.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "stage.h"

TestSuite(networks, .init = stage_open, .fini = stage_close, .timeout = 60);

Test(networks, a_bridge_has_its_addresses_and_a_name_that_says_whose_it_is)
{
    struct network network;
    network_init(&network, 7, true);
    network.spec.mtu = 1400;
    network_made(&network);
    const char *link = host("ip -d link show dev %s", network.link);
    cr_expect(strstr(link, "mtu 1400"), "%s", link);
    cr_expect(strstr(link, "stp_state 0") && strstr(link, "mcast_snooping 0"), "%s", link);
    cr_expect(strstr(link, "alias bulkhead-bt 1000 0707070707"), "%s", link);
    const char *addresses = host("ip -o addr show dev %s", network.link);
    cr_expect(strstr(addresses, "inet 172.16.7.1/24 brd 172.16.7.255 scope global"), "%s", addresses);
    cr_expect(strstr(addresses, "inet6 fd00:7::1/64 scope global"), "%s", addresses);
    cr_expect_str_eq(host("cat /proc/sys/net/ipv4/ip_forward"), "1");
    cr_expect_str_eq(stage_findings(), "");
}
