/* SPDX-License-Identifier: Apache-2.0
 *
 * Published ports with real traffic: from the host, from another machine, from a neighbour and from the container
 * itself; the client's own address arrives; the host's own firewall has its say.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "box.h"

#define TCP  BULKHEAD__TRANSPORT__TRANSPORT_TCP
#define UDP  BULKHEAD__TRANSPORT__TRANSPORT_UDP
#define SCTP BULKHEAD__TRANSPORT__TRANSPORT_SCTP

static struct network network;
static struct box box, neighbour, machine;

/* A container that serves, a neighbour, another machine. */
static void setup(void)
{
    stage_open();
    machine_open(&machine);
    network_init(&network, 1, true);
    network_made(&network);
    box_open(&box, 2);
    (void)box_join(&box, &network, 2);
    box_open(&neighbour, 3);
    (void)box_join(&neighbour, &network, 3);
    box_linked(&neighbour);
}

static void teardown(void)
{
    box_close(&box);
    box_close(&neighbour);
    stage_close();
}

TestSuite(ports, .init = setup, .fini = teardown, .timeout = 60);

static void publish(Bulkhead__Transport transport, const char *kind)
{
    box_publish(&box, transport, "", 8080, 8080, 80);
    box_linked(&box);
    cr_assert_eq(box.published[0], 8080);
    serve(&box, "%s 0.0.0.0 80", kind);
    serve(&box, "%s ::1 81", kind); /* so that the family's modules are there */
}

/* Who asks for "localhost" tries ::1 first, and must not wait. */
Test(ports, ipv6_loopback_is_refused_at_once)
{
    struct bh_error error = {0};
    box_publish(&box, TCP, "", 8080, 8080, 80);
    box_linked(&box);
    serve(&box, "tcp :: 80");
    cr_expect_str_eq(asked(NULL, "tcp ::1 8080"), "ECONNREFUSED");
    box_publish(&box, TCP, "::1", 8081, 8081, 80);
    cr_expect_eq(box_link(&box, &error), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s", error.message);
}

static void everybody_reaches(const char *kind)
{
    cr_expect_str_eq(asked(&machine, "%s 198.51.100.1 8080", kind), "198.51.100.2 hello", "another machine");
    cr_expect_str_eq(asked(NULL, "%s 127.0.0.1 8080", kind), "172.16.1.1 hello", "the host by loopback");
    cr_expect_str_eq(asked(NULL, "%s 198.51.100.1 8080", kind), "198.51.100.1 hello", "the host by its own address");
    cr_expect_str_eq(asked(NULL, "%s 172.16.1.1 8080", kind), "172.16.1.1 hello", "the host by the gateway");
    cr_expect_str_eq(asked(&neighbour, "%s 198.51.100.1 8080", kind), "172.16.1.1 hello", "a neighbour by the host");
    cr_expect_str_eq(asked(&neighbour, "%s 172.16.1.2 80", kind), "172.16.1.3 hello", "a neighbour");
    cr_expect_str_eq(asked(&box, "%s 198.51.100.1 8080", kind), "172.16.1.1 hello", "itself by the host");
}

Test(ports, tcp_reaches_from_everywhere_with_the_clients_address)
{
    publish(TCP, "tcp");
    everybody_reaches("tcp");
}

Test(ports, udp_reaches_from_everywhere_with_the_clients_address)
{
    publish(UDP, "udp");
    everybody_reaches("udp");
}

Test(ports, ipv6_reaches_from_everywhere_with_the_clients_address)
{
    box_publish(&box, TCP, "", 8080, 8080, 80);
    box_publish(&box, UDP, "", 8080, 8080, 80);
    box_linked(&box);
    serve(&box, "tcp :: 80");
    serve(&box, "udp :: 80");
    static const char *const kinds[] = {"tcp", "udp"};
    for (size_t i = 0; i < 2; i++) {
        const char *kind = kinds[i];
        cr_expect_str_eq(asked(&machine, "%s 2001:db8:1::1 8080", kind), "2001:db8:1::2 hello", "%s: machine", kind);
        cr_expect_str_eq(asked(NULL, "%s 2001:db8:1::1 8080", kind), "2001:db8:1::1 hello", "%s: host", kind);
        cr_expect_str_eq(asked(&neighbour, "%s 2001:db8:1::1 8080", kind), "fd00:1::1 hello", "%s: neighbour", kind);
        cr_expect_str_eq(asked(&box, "%s 2001:db8:1::1 8080", kind), "fd00:1::1 hello", "%s: itself", kind);
    }
}

Test(ports, sctp_is_published_where_the_kernel_has_it)
{
    box_publish(&box, SCTP, "", 8080, 8080, 80);
    box_linked(&box);
    cr_expect(strstr(host("nft -n list map ip bulkhead-bt ports_any"), "132 . 8080 : 172.16.1.2 . 80"));
    if (host_can("python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)' 2>/dev/null")) {
        serve(&box, "sctp 0.0.0.0 80");
        cr_expect_str_eq(asked(&machine, "sctp 198.51.100.1 8080"), "198.51.100.2 hello");
    }
}

Test(ports, one_address_of_the_host_is_that_and_no_other)
{
    (void)host("ip addr add 198.51.100.9/24 dev cable");
    box_publish(&box, TCP, "198.51.100.1", 8080, 8080, 80);
    box_publish(&box, TCP, "127.0.0.1", 9090, 9090, 80);
    box_linked(&box);
    serve(&box, "tcp 0.0.0.0 80");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.9 8080"), "ECONNREFUSED");
    cr_expect_str_eq(asked(NULL, "tcp 127.0.0.1 8080"), "ECONNREFUSED");
    cr_expect_str_eq(asked(NULL, "tcp 127.0.0.1 9090"), "172.16.1.1 hello");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 9090"), "ECONNREFUSED");
    /* A packet for the host's loopback that comes from outside is none. */
    (void)inside(&machine, "ip route add 127.0.0.2 via 198.51.100.1 table 7");
    (void)inside(&machine, "ip route add 172.16.1.0/24 via 198.51.100.1");
    cr_expect_str_eq(asked(&machine, "tcp 172.16.1.2 80"), "timeout", "containers are not reached past their ports");
}

Test(ports, the_hosts_own_rules_come_first)
{
    publish(TCP, "tcp");
    (void)host("nft 'table inet admin { chain input { type filter hook input priority filter; policy accept; "
               "iifname cable tcp dport 8080 reject with tcp reset; }; }'");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "ECONNREFUSED", "nft refuses");
    cr_expect_str_eq(asked(NULL, "tcp 127.0.0.1 8080"), "172.16.1.1 hello");
    (void)host("nft delete table inet admin");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    (void)host("iptables-nft -A INPUT -i cable -p tcp --dport 8080 -j REJECT --reject-with tcp-reset");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "ECONNREFUSED", "iptables refuses");
    (void)host("iptables-nft -F INPUT; iptables-nft -P INPUT DROP; iptables-nft -A INPUT -s 198.51.100.2 -j ACCEPT");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello", "and lets in whom it names");
    (void)inside(&machine, "ip addr add 198.51.100.3/24 dev cable");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080 198.51.100.3"), "timeout", "and nobody else");
}

Test(ports, a_port_that_is_taken_is_said_to_be)
{
    struct bh_error error = {0};
    struct box second;
    serve(NULL, "tcp 127.0.0.1 8081");
    box_publish(&box, TCP, "", 8080, 8080, 80);
    box_linked(&box);
    static const struct {
        const char *address;
        uint16_t port;
        const char *says;
    } cases[] = {
        {"", 8080, "Bind for 0.0.0.0:8080 failed: port is already allocated"},
        {"127.0.0.1", 8080, "Bind for 127.0.0.1:8080 failed: port is already allocated"},
        {"", 8081, "failed to bind host port 0.0.0.0:8081/tcp: address already in use"},
        {"127.0.0.1", 8081, "failed to bind host port 127.0.0.1:8081/tcp: address already in use"},
        {"192.0.2.1", 8082, "failed to bind host port 192.0.2.1:8082/tcp: cannot assign requested address"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        box_open(&second, 4);
        (void)box_join(&second, &network, 4);
        box_publish(&second, TCP, cases[i].address, cases[i].port, cases[i].port, 80);
        cr_expect_eq(box_link(&second, &error), -1, "%s", cases[i].says);
        cr_expect_str_eq(error.message, cases[i].says);
        box_close(&second);
    }
    box_open(&second, 4);
    (void)box_join(&second, &network, 4);
    box_publish(&second, UDP, "", 8080, 8080, 80);
    box_publish(&second, TCP, "", 8080, 8089, 80);
    box_publish(&second, TCP, "", 8080, 8089, 81);
    box_linked(&second);
    cr_expect_eq(second.published[0], 8080, "another transport's");
    cr_expect_eq(second.published[1], 8082, "the first that is free");
    cr_expect_eq(second.published[2], 8083);
    /* What netd holds, nobody gets. */
    cr_expect_not(host_can("timeout 1 python3 " BH_TRAFFIC " serve tcp 127.0.0.1 8083 2>/dev/null"));
    cr_assert_eq(box_disconnect(&second, -1, &error), 0);
    serve(NULL, "tcp 127.0.0.1 8083");
    box_close(&second);
}

Test(ports, a_flow_that_was_there_before_is_led_to_the_container)
{
    /* A client that goes on sending from the same port keeps its untranslated connection alive. */
    (void)host(
        "nft 'table ip admin { chain input { type filter hook input priority 0; ct state established accept; }; }'");
    cr_expect_str_eq(asked(&machine, "udp 198.51.100.1 8080 198.51.100.2 7777"), "ECONNREFUSED");
    publish(UDP, "udp");
    cr_expect_str_eq(asked(&machine, "udp 198.51.100.1 8080 198.51.100.2 7777"), "198.51.100.2 hello");
}
