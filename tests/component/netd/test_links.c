/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers are linked, once more, with more and with less; what is refused leaves nothing behind.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "box.h"
#include "common/cleanup.h"

TestSuite(links, .init = stage_open, .fini = stage_close, .timeout = 60);

static const char *ports_of_bridges(void)
{
    return host("ip -o link show type veth | grep -c ' btv' || true");
}

Test(links, a_container_has_what_its_endpoint_says)
{
    struct network network;
    struct box box;
    network_init(&network, 3, true);
    network.spec.mtu = 1400;
    network_made(&network);
    box_open(&box, 5);
    (void)box_join(&box, &network, 5);
    box_linked(&box);
    const char *link = inside(&box, "ip -o link show dev eth0");
    cr_expect(strstr(link, "mtu 1400") && strstr(link, "state UP") && strstr(link, "02:42:ac:10:03:05"), "%s", link);
    const char *addresses = inside(&box, "ip -o addr show dev eth0");
    cr_expect(strstr(addresses, "inet 172.16.3.5/24 brd 172.16.3.255"), "%s", addresses);
    cr_expect(strstr(addresses, "inet6 fd00:3::5/64 scope global"), "%s", addresses);
    cr_expect_str_eq(inside(&box, "ip -4 route show default"), "default via 172.16.3.1 dev eth0 ");
    cr_expect(strstr(inside(&box, "ip -6 route show default"), "default via fd00:3::1 dev eth0"));
    const char *port = host("bridge -d link show");
    cr_expect(strstr(port, "learning off") && strstr(port, "flood off") && strstr(port, "hairpin on"), "%s", port);
    cr_expect(strstr(host("bridge fdb show br %s", network.link), "02:42:ac:10:03:05 dev btv"));
    cr_expect_str_eq(stage_findings(), "");
    serve(NULL, "udp 172.16.3.1 70");
    serve(NULL, "udp fd00:3::1 70");
    cr_expect_str_eq(asked(&box, "udp 172.16.3.1 70"), "172.16.3.5 hello");
    cr_expect_str_eq(asked(&box, "udp fd00:3::1 70"), "fd00:3::5 hello");
    box_close(&box);
}

Test(links, without_ipv6_there_is_none)
{
    struct network network;
    struct box box;
    network_init(&network, 3, false);
    network_made(&network);
    box_open(&box, 5);
    (void)box_join(&box, &network, 5);
    box_linked(&box);
    cr_expect_str_eq(inside(&box, "ip -6 addr show dev eth0"), "");
    cr_expect_str_eq(host("ip -6 addr show dev %s", network.link), "");
    box_close(&box);
}

Test(links, again_changes_nothing_more_adds_and_less_takes_away)
{
    struct network networks[2];
    struct box box;
    struct bh_error error = {0};
    for (uint8_t i = 0; i < 2; i++) {
        network_init(&networks[i], (uint8_t)(i + 1), false);
        network_made(&networks[i]);
    }
    box_open(&box, 9);
    (void)box_join(&box, &networks[0], 9);
    box_publish(&box, BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 80);
    box_linked(&box);
    char before[16384];
    (void)snprintf(before, sizeof(before), "%s", host("ip -br link | cut -d' ' -f1; nft list ruleset"));
    box_linked(&box);
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1; nft list ruleset"), before);
    cr_expect_eq(box.published[0], 8080);

    (void)box_join(&box, &networks[1], 9);
    box.endpoints[0].default_route4 = false;
    box.endpoints[1].default_route4 = true;
    box_linked(&box);
    cr_expect_str_eq(inside(&box, "ip -o -4 addr show dev eth1 | grep -o 172.16.2.9/24"), "172.16.2.9/24");
    cr_expect_str_eq(inside(&box, "ip -4 route show default"), "default via 172.16.2.1 dev eth1 ");
    cr_expect_str_eq(stage_findings(), "");
    cr_expect(strstr(host("nft list map ip bulkhead-bt ports_any"), "172.16.2.9 . 80"), "the default route's network");

    cr_assert_eq(box_disconnect(&box, 1, &error), 0, "%s", error.message);
    cr_expect_str_eq(inside(&box, "ip -o link show dev eth1 2>/dev/null | wc -l"), "0");
    cr_expect(strstr(host("nft list map ip bulkhead-bt ports_any"), "172.16.1.9 . 80"));
    cr_expect_str_eq(stage_findings(), "");
    cr_assert_eq(box_disconnect(&box, 1, &error), 0, "absent is no error: %s", error.message);
    cr_assert_eq(box_disconnect(&box, -1, &error), 0, "%s", error.message);
    cr_assert_eq(box_disconnect(&box, -1, &error), 0, "absent is no error: %s", error.message);
    cr_expect_str_eq(stage_findings(), "");
    cr_expect_str_eq(host("ss -Hltn 'sport = 8080'"), "");
    box_close(&box);
    cr_expect(host_soon("0", "ip -o link show type veth | grep -c ' btv' || true"), "links go with their namespace");
    for (uint8_t i = 0; i < 2; i++) {
        cr_assert_eq(network_drop(&networks[i], &error), 0, "%s", error.message);
    }
    cr_expect_str_eq(stage_findings(), "");
}

Test(links, what_does_not_belong_together_is_refused)
{
    struct network network, foreign;
    struct box first, box;
    struct bh_error error = {0};
    network_init(&network, 1, false);
    network_made(&network);
    network_init(&foreign, 2, false);
    foreign.spec.tenant_uid = STAGE_TENANT + 1;
    network_made(&foreign);
    box_open(&first, 2);
    (void)box_join(&first, &network, 2);
    box_linked(&first);

    static const struct {
        const char *what;
        uint8_t network, address, mac0;
        size_t n_address;
        const char *interface;
        enum bh_code code;
    } cases[] = {
        {"the gateway's address", 1, 1, 2, 4, "eth0", BH_INVALID_ARGUMENT},
        {"the network's address", 1, 0, 2, 4, "eth0", BH_INVALID_ARGUMENT},
        {"the broadcast address", 1, 255, 2, 4, "eth0", BH_INVALID_ARGUMENT},
        {"another subnet's address", 9, 5, 2, 4, "eth0", BH_INVALID_ARGUMENT},
        {"half an address", 1, 5, 2, 3, "eth0", BH_INVALID_ARGUMENT},
        {"a group's MAC", 1, 5, 3, 4, "eth0", BH_INVALID_ARGUMENT},
        {"an interface that is there", 1, 5, 2, 4, "lo", BH_INVALID_ARGUMENT},
        {"an interface with a path", 1, 5, 2, 4, "../x", BH_INVALID_ARGUMENT},
        {"an interface without end", 1, 5, 2, 4, "abcdefghijklmnop", BH_INVALID_ARGUMENT},
        {"another container's address", 1, 2, 2, 4, "eth0", BH_ALREADY_EXISTS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        box_open(&box, 50);
        (void)box_join(&box, &network, 5);
        box.addresses4[0][2] = cases[i].network;
        box.addresses4[0][3] = cases[i].address;
        box.endpoints[0].address4.len = cases[i].n_address;
        box.macs[0][0] = cases[i].mac0;
        box.endpoints[0].interface_name = cases[i].interface;
        cr_expect_eq(box_link(&box, &error), -1, "%s", cases[i].what);
        cr_expect_eq(error.code, cases[i].code, "%s: %s", cases[i].what, error.message);
        box_close(&box);
    }

    box_open(&box, 50);
    (void)box_join(&box, &foreign, 5);
    cr_expect_eq(box_link(&box, &error), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "another tenant's network: %s", error.message);
    memset(box.endpoints[0].network.data = box.ids[1], 0x77, 32);
    cr_expect_eq(box_link(&box, &error), -1);
    cr_expect_eq(error.code, BH_NOT_FOUND, "no network: %s", error.message);
    box_close(&box);
    cr_expect_str_eq(ports_of_bridges(), "1");
    cr_expect_str_eq(stage_findings(), "");
    box_close(&first);
}

Test(links, descriptors_of_the_hosts_namespace_are_refused)
{
    struct network network;
    struct box box, other;
    struct bh_error error = {0};
    network_init(&network, 1, false);
    network_made(&network);
    box_open(&box, 2);
    box_open(&other, 3);
    (void)box_join(&box, &network, 2);
    int own[3] = {box.fds[0], box.fds[1], box.fds[2]};
    bh_autoclose int host_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    bh_autoclose int host_route = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    const int wrong[][3] = {
        {host_namespace, own[1], own[2]}, /* the host's namespace */
        {own[0], host_route, own[2]},     /* the host's socket */
        {own[0], own[1], other.fds[2]},   /* of two containers */
        {own[0], own[2], own[1]},         /* the other way round */
        {own[1], own[1], own[2]},         /* a socket is no namespace */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        memcpy(box.fds, wrong[i], sizeof(wrong[i]));
        cr_expect_eq(box_link(&box, &error), -1, "case %zu", i);
        cr_expect_str_eq(ports_of_bridges(), "0");
    }
    memcpy(box.fds, own, sizeof(own));
    box_linked(&box);
    box_close(&box);
    box_close(&other);
}

Test(links, after_an_error_everything_is_as_it_was)
{
    struct network networks[2];
    struct box box, other;
    struct bh_error error = {0};
    for (uint8_t i = 0; i < 2; i++) {
        network_init(&networks[i], (uint8_t)(i + 1), false);
        network_made(&networks[i]);
    }
    box_open(&other, 2);
    (void)box_join(&other, &networks[0], 2);
    box_publish(&other, BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 80);
    box_linked(&other);
    box_open(&box, 3);
    (void)box_join(&box, &networks[0], 3);
    box_linked(&box);
    char before[16384], routes[1024];
    (void)snprintf(before, sizeof(before), "%s", host("ip -br link | cut -d' ' -f1; nft list ruleset"));
    (void)snprintf(routes, sizeof(routes), "%s", inside(&box, "ip -4 route"));

    (void)box_join(&box, &networks[1], 3);
    box.endpoints[0].default_route4 = false;
    box.endpoints[1].default_route4 = true;
    box_publish(&box, BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 9090, 9090, 90);
    box_publish(&box, BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 80);
    cr_expect_eq(box_link(&box, &error), -1, "the second port is taken");
    cr_expect_eq(error.code, BH_ALREADY_EXISTS, "%s", error.message);
    cr_expect_str_eq(error.message, "Bind for 0.0.0.0:8080 failed: port is already allocated");
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1; nft list ruleset"), before);
    cr_expect_str_eq(inside(&box, "ip -4 route"), routes);
    cr_expect_str_eq(stage_findings(), "");
    box_close(&box);
    box_close(&other);
}

Test(links, two_hundred_on_one_network)
{
    struct network network;
    static struct box boxes[200];
    network_init(&network, 1, false);
    network.subnets[0].prefix = 16;
    network.addresses[0][2] = 0;
    network.gateways[0][2] = 0;
    network_made(&network);
    for (size_t i = 0; i < 200; i++) {
        box_open(&boxes[i], (uint8_t)(i + 2));
        (void)box_join(&boxes[i], &network, (uint8_t)(i + 2));
        box_linked(&boxes[i]);
    }
    cr_expect_str_eq(ports_of_bridges(), "200");
    cr_expect_str_eq(stage_findings(), "");
    for (size_t i = 0; i < 200; i++) {
        struct bh_error error = {0};
        cr_assert_eq(box_disconnect(&boxes[i], -1, &error), 0, "%s", error.message);
        box_close(&boxes[i]);
    }
    cr_expect(host_soon("0", "ip -o link show type veth | grep -c ' btv' || true"));
    cr_expect_str_eq(stage_findings(), "");
}
