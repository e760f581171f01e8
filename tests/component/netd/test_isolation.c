/* SPDX-License-Identifier: Apache-2.0
 *
 * Who does not reach whom; each time first that the way is there, then that it is closed.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "box.h"

static struct network networks[2];
static struct box boxes[3], machine; /* two on the first network, one on the second */

static void setup_with(bool internal, bool isolated, bool masquerade)
{
    stage_open();
    machine_open(&machine);
    for (uint8_t i = 0; i < 2; i++) {
        network_init(&networks[i], (uint8_t)(i + 1), true);
        networks[i].spec.internal = internal && i == 0;
        networks[i].spec.isolated = isolated && i == 0;
        networks[i].spec.masquerade = masquerade;
        network_made(&networks[i]);
    }
    for (uint8_t i = 0; i < 3; i++) {
        box_open(&boxes[i], (uint8_t)(i + 2));
        (void)box_join(&boxes[i], &networks[i / 2], (uint8_t)(i + 2));
    }
}

static void go_on(void)
{
    for (uint8_t i = 0; i < 3; i++) {
        box_linked(&boxes[i]);
        serve(&boxes[i], "tcp 0.0.0.0 80");
        serve(&boxes[i], "udp :: 80");
    }
}

static void setup(void)
{
    setup_with(false, false, true);
    go_on();
}

static void teardown(void)
{
    for (size_t i = 0; i < 3; i++) {
        box_close(&boxes[i]);
    }
    stage_close();
}

TestSuite(isolation, .fini = teardown, .timeout = 60);

Test(isolation, networks_do_not_reach_one_another, .init = setup)
{
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.1.3 80"), "172.16.1.2 hello");
    cr_expect_str_eq(asked(&boxes[0], "udp fd00:1::3 80"), "fd00:1::2 hello");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.2.4 80"), "timeout");
    cr_expect_str_eq(asked(&boxes[2], "tcp 172.16.1.2 80"), "timeout");
    cr_expect_str_eq(asked(&boxes[0], "udp fd00:2::4 80"), "timeout");
    cr_expect_str_eq(asked(&boxes[2], "udp fd00:1::2 80"), "timeout");
}

Test(isolation, what_leaves_has_the_hosts_address, .init = setup)
{
    serve(&machine, "tcp 0.0.0.0 80");
    serve(&machine, "udp :: 80");
    cr_expect_str_eq(asked(&boxes[0], "tcp 198.51.100.2 80"), "198.51.100.1 hello");
    cr_expect_str_eq(asked(&boxes[0], "udp 2001:db8:1::2 80"), "2001:db8:1::1 hello");
}

static void setup_plain(void)
{
    setup_with(false, false, false);
    go_on();
}

Test(isolation, or_its_own_if_asked_for, .init = setup_plain)
{
    serve(&machine, "tcp 0.0.0.0 80");
    (void)inside(&machine, "ip route add 172.16.1.0/24 via 198.51.100.1");
    cr_expect_str_eq(asked(&boxes[0], "tcp 198.51.100.2 80"), "172.16.1.2 hello");
}

Test(isolation, loopback_and_the_host_that_was_closed_stay_so, .init = setup)
{
    serve(NULL, "tcp 127.0.0.1 70");
    serve(NULL, "tcp 172.16.2.1 71");
    cr_expect_str_eq(asked(NULL, "tcp 127.0.0.1 70"), "127.0.0.1 hello");
    /* With a route that leads 127.0.0.1 to the gateway, as a container's root may make one. */
    (void)inside(&boxes[0], "sh -c 'ip addr del 127.0.0.1/8 dev lo; ip route del local 127.0.0.0/8 dev lo table local; "
                            "ip route add 127.0.0.0/8 via 172.16.1.1 src 172.16.1.2'");
    cr_expect_str_neq(asked(&boxes[0], "tcp 127.0.0.1 70"), "172.16.1.2 hello");
    (void)inside(&machine, "ip route add 10.9.9.0/24 via 198.51.100.1");
    (void)host("ip link add away type veth peer name far && ip link set far up && ip addr add 10.9.9.1/24 dev away && "
               "ip link set away up");
    cr_expect_str_eq(host("cat /proc/sys/net/ipv4/ip_forward"), "1");
    (void)host(
        "nft 'add table ip count; add counter ip count seen; add chain ip count forward { type filter hook forward "
        "priority 10; }; add rule ip count forward iifname \"cable\" oifname \"away\" counter name seen'");
    (void)asked(&machine, "udp 10.9.9.9 80");
    cr_expect(strstr(host("nft list counter ip count seen"), "packets 0"), "the host does not become a router");
}

static void setup_internal(void)
{
    setup_with(true, false, true);
    box_publish(&boxes[0], BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 80);
    go_on();
}

Test(isolation, internal_networks_have_no_way_out_and_none_in, .init = setup_internal)
{
    serve(&machine, "tcp 0.0.0.0 80");
    serve(NULL, "tcp 0.0.0.0 70");
    (void)inside(&boxes[0], "ip route add default via 172.16.1.1");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.1.3 80"), "172.16.1.2 hello", "neighbours");
    cr_expect_str_eq(asked(NULL, "tcp 172.16.1.2 80"), "172.16.1.1 hello", "from the host");
    cr_expect_str_eq(asked(&boxes[0], "tcp 198.51.100.2 80"), "timeout");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.2.4 80"), "timeout");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.1.1 70"), "timeout", "the host's own services");
    cr_expect_str_eq(asked(&boxes[0], "udp fd00:1::3 80"), "fd00:1::2 hello", "neighbours");
    cr_expect_str_eq(asked(NULL, "udp fd00:1::2 80"), "fd00:1::1 hello", "from the host");
    serve(&machine, "udp :: 81");
    (void)inside(&boxes[0], "ip route add default via fd00:1::1");
    cr_expect_str_eq(asked(&boxes[0], "udp 2001:db8:1::2 81"), "timeout");
    cr_expect_eq(boxes[0].n_published, 0u, "nothing of it is published");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "ECONNREFUSED");
}

static void setup_isolated(void)
{
    setup_with(false, true, true);
    box_publish(&boxes[0], BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 80);
    go_on();
}

Test(isolation, containers_of_an_isolated_network_do_not_reach_one_another, .init = setup_isolated)
{
    serve(&machine, "tcp 0.0.0.0 80");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.1.3 80"), "timeout");
    cr_expect_str_eq(asked(&boxes[0], "tcp 198.51.100.2 80"), "198.51.100.1 hello", "out they may");
    /* Around by the gateway, as a container's root may try. */
    (void)inside(&boxes[0],
                 "sh -c 'ip route del 172.16.1.0/24 dev eth0; ip route add 172.16.1.1 dev eth0; ip route add "
                 "172.16.1.0/24 via 172.16.1.1'");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.1.3 80"), "timeout");
}
