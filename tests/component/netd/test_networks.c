/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks are made, found again, refused and dropped.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "box.h"

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

Test(networks, what_cannot_be_a_network_is_refused)
{
    static const struct {
        const char *what;
        uint8_t address[4], gateway[4];
        uint32_t prefix, mtu;
        const char *bridge;
    } cases[] = {
        {"bits behind the prefix", {172, 16, 1, 1}, {172, 16, 1, 1}, 24, 0, ""},
        {"a gateway outside", {172, 16, 1, 0}, {172, 16, 2, 1}, 24, 0, ""},
        {"the network's address as gateway", {172, 16, 1, 0}, {172, 16, 1, 0}, 24, 0, ""},
        {"the broadcast address as gateway", {172, 16, 1, 0}, {172, 16, 1, 255}, 24, 0, ""},
        {"a prefix without hosts", {172, 16, 1, 0}, {172, 16, 1, 1}, 31, 0, ""},
        {"nearly everything", {128, 0, 0, 0}, {128, 0, 0, 1}, 4, 0, ""},
        {"loopback", {127, 1, 0, 0}, {127, 1, 0, 1}, 16, 0, ""},
        {"link-local", {169, 254, 0, 0}, {169, 254, 0, 1}, 16, 0, ""},
        {"multicast", {224, 1, 0, 0}, {224, 1, 0, 1}, 16, 0, ""},
        {"a tiny MTU", {172, 16, 1, 0}, {172, 16, 1, 1}, 24, 60, ""},
        {"a huge MTU", {172, 16, 1, 0}, {172, 16, 1, 1}, 24, 70000, ""},
        {"a bridge with a path", {172, 16, 1, 0}, {172, 16, 1, 1}, 24, 0, "../../x"},
        {"a bridge with a quote", {172, 16, 1, 0}, {172, 16, 1, 1}, 24, 0, "a\"b"},
        {"the loopback link", {172, 16, 1, 0}, {172, 16, 1, 1}, 24, 0, "lo"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct network network;
        struct bh_error error = {0};
        network_init(&network, 1, false);
        memcpy(network.addresses[0], cases[i].address, 4);
        memcpy(network.gateways[0], cases[i].gateway, 4);
        network.subnets[0].prefix = cases[i].prefix;
        network.spec.mtu = cases[i].mtu;
        network.spec.bridge_name = cases[i].bridge;
        cr_expect_eq(network_make(&network, &error), -1, "%s", cases[i].what);
        cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s: %s", cases[i].what, error.message);
    }
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1"), "lo", "nothing was made");
    cr_expect_str_eq(host("nft list ruleset; cat /proc/sys/net/ipv4/ip_forward"), "0");
}

Test(networks, addresses_of_the_hosts_or_of_another_network_are_refused)
{
    struct network network, other;
    struct bh_error error = {0};
    (void)host(
        "ip link add cable type veth peer name far && ip addr add 172.16.5.1/24 dev cable && ip link set cable up && "
        "ip link set far up && ip route add 172.16.6.128/25 via 172.16.5.2 && ip route add default via 172.16.5.2 && "
        "ip route add 128.0.0.0/1 via 172.16.5.2 && ip route add 172.16.8.0/24 via 172.16.5.2 table 77");
    static const struct {
        uint8_t number;
        const char *says;
    } cases[] = {
        {5, "subnet 172.16.5.0/24 overlaps with the host's route to 172.16.5.0/24 by cable"},
        {6, "subnet 172.16.6.0/24 overlaps with the host's route to 172.16.6.128/25 by cable"},
        {8, "subnet 172.16.8.0/24 overlaps with the host's route to 172.16.8.0/24 by cable"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        network_init(&network, cases[i].number, false);
        cr_expect_eq(network_make(&network, &error), -1);
        cr_expect_eq(error.code, BH_ALREADY_EXISTS);
        cr_expect_str_eq(error.message, cases[i].says);
    }
    network_init(&network, 7, false);
    network_made(&network);
    network_made(&network);
    network_init(&other, 9, false);
    memcpy(other.addresses[0], (const uint8_t[]){172, 16, 0, 0}, 4);
    memcpy(other.gateways[0], (const uint8_t[]){172, 16, 0, 1}, 4);
    other.subnets[0].prefix = 16;
    cr_expect_eq(network_make(&other, &error), -1);
    cr_expect_eq(error.code, BH_ALREADY_EXISTS);
    cr_expect_str_eq(error.message, "subnet 172.16.0.0/16 overlaps with subnet 172.16.7.0/24 of network \"net7\"");
    other.spec.tenant_uid++;
    cr_expect_eq(network_make(&other, &error), -1);
    cr_expect_str_eq(error.message, "subnet 172.16.0.0/16 overlaps with subnet 172.16.7.0/24 of another network",
                     "whose it is, is not said");
    network.spec.internal = true;
    cr_expect_eq(network_make(&network, &error), -1, "the same network, differently");
    cr_expect_eq(error.code, BH_ALREADY_EXISTS);
    (void)host("ip link add mine type bridge");
    network_init(&other, 10, false);
    other.spec.bridge_name = "mine";
    cr_expect_eq(network_make(&other, &error), -1, "somebody else's bridge");
    cr_expect_eq(error.code, BH_ALREADY_EXISTS);
    cr_expect_str_eq(stage_findings(), "");
}

Test(networks, a_tenant_has_no_more_than_it_may)
{
    struct network network;
    struct bh_error error = {0};
    for (uint8_t i = 1; i <= 3; i++) {
        network_init(&network, i, false);
        Bulkhead__MakeNetwork body = BULKHEAD__MAKE_NETWORK__INIT;
        body.network = &network.spec;
        body.most = 2;
        Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_MAKE_NETWORK;
        packet.make_network = &body;
        struct bh_message *answer = NULL;
        int result = stage_ask(&packet, NULL, 0, BULKHEAD__NETD_TO_POLICYD__BODY_DONE, &answer, &error);
        cr_expect_eq(result, i <= 2 ? 0 : -1);
        bh_message_free(answer);
    }
    cr_expect_eq(error.code, BH_RESOURCE_EXHAUSTED);
    cr_expect(strstr(error.message, "at most 2 are allowed, remove one (rule \"quotas\")"), "%s", error.message);
}

Test(networks, one_is_dropped_when_nobody_is_linked_to_it_and_by_its_tenant)
{
    struct network network;
    struct box box;
    struct bh_error error = {0};
    network_init(&network, 1, true);
    network_made(&network);
    box_open(&box, 2);
    (void)box_join(&box, &network, 2);
    box_linked(&box);
    cr_expect_eq(network_drop(&network, &error), -1);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION, "%s", error.message);
    cr_assert_eq(box_disconnect(&box, -1, &error), 0);
    network.spec.tenant_uid++;
    cr_expect_eq(network_drop(&network, &error), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "%s", error.message);
    network.spec.tenant_uid--;
    cr_expect_eq(network_drop(&network, &error), 0, "its container lives on: %s", error.message);
    cr_expect_eq(network_drop(&network, &error), 0, "absent is no error: %s", error.message);
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1 | cut -d@ -f1 | sort | tr '\\n' ' '"), "bti0 bti1 lo ");
    cr_expect_str_eq(stage_findings(), "");
    box_close(&box);
}

Test(networks, macvlan_links_are_the_parents)
{
    struct network network;
    struct box box;
    struct bh_error error = {0};
    network_init(&network, 4, false);
    network.spec.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN;
    network.spec.macvlan_mode_presence_case = BULKHEAD__NETWORK_SPEC__MACVLAN_MODE_PRESENCE_MACVLAN_MODE;
    network.spec.macvlan_mode = BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_BRIDGE;
    network.spec.parent = "cable";
    cr_expect_eq(network_make(&network, &error), -1, "no such parent");
    cr_expect_eq(error.code, BH_NOT_FOUND, "%s", error.message);
    (void)host("ip link add cable type veth peer name far && ip link set cable up && ip link set far up && "
               "ip addr add 172.16.4.1/24 dev far");
    network_made(&network);
    box_open(&box, 5);
    (void)box_join(&box, &network, 5);
    box_linked(&box);
    box_linked(&box);
    cr_expect(strstr(inside(&box, "ip -d -o link show dev eth0"), "macvlan mode bridge"));
    serve(NULL, "udp 172.16.4.1 70");
    cr_expect_str_eq(asked(&box, "udp 172.16.4.1 70"), "172.16.4.5 hello");
    cr_expect_eq(network_drop(&network, &error), -1);
    cr_assert_eq(box_disconnect(&box, 0, &error), 0, "%s", error.message);
    cr_expect_str_eq(inside(&box, "ip -br link | cut -d' ' -f1"), "lo");
    cr_expect_eq(network_drop(&network, &error), 0, "%s", error.message);
    box_close(&box);
}
