/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks, links and published ports: what makes sense, and who may what.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "example.h"
#include "judge.h"
#include "publish.h"
#include "rules_file.h"
#include "spec_check.h"
#include "subnets.h"

static struct example example;
static Bulkhead__NetworkSpec network;
static Bulkhead__Subnet subnet4, subnet6, *subnets[3];
static uint8_t address4[4], gateway4[4], address6[16], network_id[32];
static struct ip_pools pools;
static struct bh_error error;

static void prepare(void)
{
    const Bulkhead__Config config = BULKHEAD__CONFIG__INIT;
    ip_pools_read(&config, &pools);
    example_init(&example);
    example_link_twice(&example);
    bulkhead__network_spec__init(&network);
    bulkhead__subnet__init(&subnet4);
    bulkhead__subnet__init(&subnet6);
    memcpy(address4, (const uint8_t[]){172, 17, 16, 0}, 4);
    memcpy(gateway4, (const uint8_t[]){172, 17, 16, 1}, 4);
    memset(address6, 0, sizeof(address6));
    address6[0] = 0xfd;
    subnet4.address = (ProtobufCBinaryData){.len = 4, .data = address4};
    subnet4.gateway = (ProtobufCBinaryData){.len = 4, .data = gateway4};
    subnet4.prefix = 20;
    subnet6.address = (ProtobufCBinaryData){.len = 16, .data = address6};
    subnet6.prefix = 64;
    subnets[0] = &subnet4;
    subnets[1] = &subnet6;
    subnets[2] = &subnet6;
    network.id = (ProtobufCBinaryData){.len = 32, .data = network_id};
    network.tenant_uid = 1000;
    network.name = example_text("front");
    network.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_BRIDGE;
    network.subnets = subnets;
    network.n_subnets = 2;
}

TestSuite(networks, .init = prepare);

/* ---- links that make no sense -------------------------------------------------------------------------------- */

static void accepted(void)
{
    error = (struct bh_error){0};
    cr_expect_eq(spec_check(&example.spec, &error), 0, "%s", error.message);
    prepare();
}

static void refused(const char *what)
{
    error = (struct bh_error){0};
    cr_expect_eq(spec_check(&example.spec, &error), -1, "%s was accepted", what);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    prepare();
}

Test(networks, honest_links)
{
    accepted();
    example.attachment.n_endpoints = 0;
    accepted();
    example.attachment.n_ports = 0;
    accepted();
    example.endpoint.address4.len = 0;
    example.endpoint.default_route4 = false;
    example.endpoint.address6 = (ProtobufCBinaryData){.len = 16, .data = example.address6[0]};
    accepted();
    example_sysctl(&example, "net.ipv4.conf.eth0.forwarding");
    accepted();
}

Test(networks, links_come_with_their_mode_alone)
{
    example.spec.attachment = NULL;
    refused("a mode without links");
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    refused("links of nothing");
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    refused("ports of the host's network");
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_UNSPECIFIED;
    refused("no mode");
}

Test(networks, ids_and_names_of_links)
{
    static const char *const wrong[] = {"", "lo", "eth0/1", "a name", "-eth", "..", "sixteen-letters-"};
    example.endpoint.id.len = 31;
    refused("a short id");
    example.endpoint.network.len = 0;
    refused("no network");
    example.second.network = example.endpoint.network;
    refused("two links to one network");
    example.second.id = example.endpoint.id;
    refused("two links of one id");
    example.second.interface_name = example.endpoint.interface_name;
    refused("two links of one name");
    example.second.mac = example.endpoint.mac;
    refused("two links of one MAC address");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        example.endpoint.interface_name = example_text(wrong[i]);
        refused(wrong[i]);
    }
}

Test(networks, names_that_others_use)
{
    static char *names[BH_ENDPOINT_NAMES_MAX + 1];
    for (size_t i = 0; i < BH_ENDPOINT_NAMES_MAX + 1; i++) {
        names[i] = example_text("web_1.front");
    }
    example.endpoint.names = names;
    example.endpoint.n_names = BH_ENDPOINT_NAMES_MAX;
    accepted();
    example.endpoint.names = names;
    example.endpoint.n_names = BH_ENDPOINT_NAMES_MAX + 1;
    refused("65 names");
    names[0] = example_text("two words");
    example.endpoint.names = names;
    example.endpoint.n_names = 1;
    refused("a name of two words");
    Bulkhead__EndpointLink link = BULKHEAD__ENDPOINT_LINK__INIT, *links[] = {&link};
    link.name = example_text("db");
    link.container = (ProtobufCBinaryData){.len = 12, .data = example.id};
    example.endpoint.links = links;
    example.endpoint.n_links = 1;
    refused("a name for a short id");
}

Test(networks, addresses_of_links)
{
    static const char *const wrong4[] = {"0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"};
    static const char *const wrong6[] = {"::", "::1", "::ffff:10.0.0.1", "fe80::1", "ff02::1"};
    for (size_t i = 0; i < sizeof(wrong4) / sizeof(wrong4[0]); i++) {
        cr_assert_eq(inet_pton(AF_INET, wrong4[i], example.address4[0]), 1);
        refused(wrong4[i]);
    }
    for (size_t i = 0; i < sizeof(wrong6) / sizeof(wrong6[0]); i++) {
        cr_assert_eq(inet_pton(AF_INET6, wrong6[i], example.address6[1]), 1);
        refused(wrong6[i]);
    }
    example.endpoint.address4.len = 5;
    refused("an address of 5 bytes");
    example.endpoint.address4.len = 0;
    example.endpoint.default_route4 = false;
    refused("no address");
    example.endpoint.default_route6 = true;
    refused("a default route of a family without an address");
    example.second.default_route4 = true;
    refused("two default routes");
    example.macs[0][0] = 3;
    refused("a MAC address of many");
    memset(example.macs[0], 0, 6);
    refused("a MAC address of nobody");
    example.endpoint.mac.len = 0;
    refused("no MAC address");
}

Test(networks, published_ports)
{
    example.port.first_host_port = 8000;
    example.port.last_host_port = 8010;
    accepted();
    example.port.transport = BULKHEAD__TRANSPORT__TRANSPORT_UNSPECIFIED;
    refused("no transport");
    example.port.container_port = 0;
    refused("port 0");
    example.port.container_port = 65536;
    refused("port 65536");
    example.port.first_host_port = 0;
    refused("host port 0");
    example.port.last_host_port = 65536;
    refused("host port 65536");
    example.port.first_host_port = 8081;
    refused("a range that ends before it begins");
    example.port.host_address = (ProtobufCBinaryData){.len = 6, .data = example.host_address};
    refused("a host address of 6 bytes");
    example.port.host_address = (ProtobufCBinaryData){.len = 16, .data = example.host_address};
    example.host_address[10] = example.host_address[11] = 0xff;
    refused("an IPv4 address in an IPv6 one");
}

Test(networks, counts)
{
    static Bulkhead__PublishedPort *many[BH_PORTS_MAX + 1];
    for (size_t i = 0; i < BH_PORTS_MAX + 1; i++) {
        many[i] = &example.port;
    }
    example.attachment.ports = many;
    example.attachment.n_ports = BH_PORTS_MAX + 1;
    refused("too many ports");
    static Bulkhead__Endpoint *links[BH_ENDPOINTS_MAX + 1];
    example.attachment.endpoints = links;
    example.attachment.n_endpoints = BH_ENDPOINTS_MAX + 1;
    refused("too many links");
    ProtobufCBinaryData server = {.len = 3, .data = example.host_address};
    example.attachment.dns_servers = &server;
    example.attachment.n_dns_servers = 1;
    refused("a name server of 3 bytes");
}

/* ---- networks that make no sense ------------------------------------------------------------------------------ */

static void network_refused(const char *what)
{
    error = (struct bh_error){0};
    cr_expect_eq(spec_check_network(&network, &error), -1, "%s was accepted", what);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    prepare();
}

static void network_accepted(void)
{
    error = (struct bh_error){0};
    cr_expect_eq(spec_check_network(&network, &error), 0, "%s", error.message);
    prepare();
}

static void make_macvlan(void)
{
    network.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_MACVLAN;
    network.macvlan_mode_presence_case = BULKHEAD__NETWORK_SPEC__MACVLAN_MODE_PRESENCE_MACVLAN_MODE;
    network.macvlan_mode = BULKHEAD__MACVLAN_MODE__MACVLAN_MODE_VEPA;
    network.parent = example_text("eth0.100");
}

Test(networks, specs_of_networks)
{
    network_accepted();
    make_macvlan();
    network_accepted();
    network.bridge_name = example_text("br-lan");
    network_accepted();
    network.id.len = 0;
    network_refused("no id");
    network.tenant_uid = UINT32_MAX;
    network_refused("no tenant");
    network.name = example_text("");
    network_refused("no name");
    network.name = example_text("two\nlines");
    network_refused("a name of two lines");
    network.driver = BULKHEAD__NETWORK_DRIVER__NETWORK_DRIVER_UNSPECIFIED;
    network_refused("no driver");
    network.mtu = 67;
    network_refused("an MTU that is too small");
    network.mtu = 65536;
    network_refused("an MTU that is too large");
    network.bridge_name = example_text("../../x");
    network_refused("a bridge name that is a path");
    network.parent = example_text("eth0");
    network_refused("a parent of a bridge");
    make_macvlan();
    network.parent = example_text("");
    network_refused("a macvlan network without a parent");
    make_macvlan();
    network.macvlan_mode_presence_case = BULKHEAD__NETWORK_SPEC__MACVLAN_MODE_PRESENCE__NOT_SET;
    network_refused("a macvlan network without a mode");
    make_macvlan();
    network.bridge_name = example_text("br-lan");
    network_refused("a bridge of a macvlan network");
}

Test(networks, subnets)
{
    subnet4.prefix = 0;
    network_refused("all addresses");
    subnet4.prefix = 33;
    network_refused("a prefix of 33");
    subnet4.prefix = 19;
    network_refused("bits behind the prefix");
    subnet4.address.len = 3;
    network_refused("an address of 3 bytes");
    gateway4[2] = 32;
    network_refused("a gateway outside");
    subnet4.gateway.len = 16;
    network_refused("a gateway of another family");
    subnets[0] = &subnet6;
    network_refused("two subnets of one family");
    network.n_subnets = 3;
    network_refused("three subnets");
    subnet4.gateway.len = 0;
    network_accepted();
    network.n_subnets = 0;
    network_accepted();
}

/* ---- rules ------------------------------------------------------------------------------------------------------- */

static enum rule verdict(const struct rules *rules)
{
    struct judgement judgement;
    judge_container(&example.spec, rules, &(struct known_count){0}, &judgement);
    if (judgement.refused) {
        cr_expect(strstr(judgement.reason, rule_name(judgement.rule)), "%s", judgement.reason);
    }
    return judgement.rule;
}

Test(networks, links_are_for_everybody_and_low_ports_for_root)
{
    cr_expect_eq(verdict(rules_builtin(false)), RULE_NONE);
    example.port.first_host_port = 1023;
    cr_expect_eq(verdict(rules_builtin(false)), RULE_PUBLISH, "a range that begins too low");
    cr_expect_eq(verdict(rules_builtin(true)), RULE_NONE);
}

static struct rules rules;

static int parse(const char *text)
{
    error = (struct bh_error){0};
    return rules_parse("web.json", text, strlen(text), &rules, &error);
}

Test(networks, rule_files_say_which_networks_and_ports)
{
    cr_assert_eq(parse("{\"version\":1,\"tenants\":[1000],\"networks\":[\"none\",\"macvlan\"],"
                       "\"macvlan_parents\":[\"eth*\"],\"bridge_names\":[\"web-*\"],"
                       "\"publish\":[\"127.0.0.1:1-65535\",\"[::]:8080\"],\"quotas\":{\"networks\":3}}"),
                 0, "%s", error.message);
    cr_expect_eq(rules.networks, RULES_NETWORK_NONE | RULES_NETWORK_MACVLAN);
    cr_expect_eq(rules.quotas.networks, 3);
    struct judgement judgement;
    judge_network(&network, &rules, &pools, &judgement);
    cr_expect_eq(judgement.rule, RULE_NETWORKS, "no bridge");
    make_macvlan();
    judge_network(&network, &rules, &pools, &judgement);
    cr_expect_not(judgement.refused, "%s", judgement.reason);
    network.parent = example_text("wlan0");
    judge_network(&network, &rules, &pools, &judgement);
    cr_expect_eq(judgement.rule, RULE_MACVLAN_PARENTS);
    cr_expect_str_eq(judgement.reason, "a macvlan network of the host's link wlan0 is not allowed; of eth* it is (rule "
                                       "\"macvlan_parents\" of policy.d/web.json)");
    prepare();
    rules.networks |= RULES_NETWORK_BRIDGE;
    network.bridge_name = example_text("web-1");
    judge_network(&network, &rules, &pools, &judgement);
    cr_expect_not(judgement.refused, "%s", judgement.reason);
    network.bridge_name = example_text("br-lan");
    judge_network(&network, &rules, &pools, &judgement);
    cr_expect_eq(judgement.rule, RULE_BRIDGE_NAMES);
}

/* Whether one pattern ("" for none) allows a network with that subnet alone. */
static bool allows_subnet(const char *pattern, const char *text)
{
    struct judgement judgement;
    struct ip_subnet subnet;
    prepare();
    struct rules one = *rules_builtin(false);
    one.subnets = (struct rules_list){.n = *pattern != '\0'};
    strcpy(one.subnets.items[0], pattern);
    cr_assert(ip_parse_subnet(text, &subnet));
    subnet4.address = (ProtobufCBinaryData){.len = subnet.ip.n_bytes, .data = subnet.ip.bytes};
    subnet4.prefix = subnet.prefix;
    network.n_subnets = 1;
    judge_network(&network, &one, &pools, &judgement);
    cr_expect(!judgement.refused || judgement.rule == RULE_SUBNETS);
    return !judgement.refused;
}

Test(networks, what_patterns_of_subnets_allow)
{
    cr_expect(allows_subnet("*", "8.8.8.0/24"));
    cr_expect(allows_subnet("10.0.0.0/8", "10.0.0.0/8"));
    cr_expect(allows_subnet("10.0.0.0/8", "10.200.0.0/30"));
    cr_expect_not(allows_subnet("10.0.0.0/8", "10.0.0.0/7"));
    cr_expect_not(allows_subnet("10.0.0.0/8", "11.0.0.0/24"));
    cr_expect_not(allows_subnet("a00::/8", "10.0.0.0/24"), "of another family");
    cr_expect_not(allows_subnet("", "172.16.0.0/20"));
    cr_expect(allows_subnet("pools", "172.31.240.0/20"));
    cr_expect(allows_subnet("pools", "10.128.0.0/24"));
    cr_expect(allows_subnet("pools", "fd12::/64"));
    cr_expect_not(allows_subnet("pools", "172.16.0.0/19"), "larger than what is cut");
    cr_expect_not(allows_subnet("pools", "172.16.0.0/12"));
    cr_expect_not(allows_subnet("pools", "172.0.0.0/8"));
    cr_expect_not(allows_subnet("pools", "10.0.0.0/24"));
    cr_expect_not(allows_subnet("pools", "8.8.8.8/32"));
    cr_expect_not(allows_subnet("pools", "fd00::/8"));
    cr_expect_not(allows_subnet("pools", "fc00::/64"));
    cr_expect_not(allows_subnet("pools", "2001:db8::/64"));
}

Test(networks, subnets_of_the_engines_own_pools)
{
    struct judgement judgement;
    pools.n = 2;
    cr_assert(ip_parse_subnet("192.168.0.0/16", &pools.list[0].base) &&
              ip_parse_subnet("fd99::/48", &pools.list[1].base));
    pools.list[0].size = 24;
    pools.list[1].size = 64;
    judge_network(&network, rules_builtin(true), &pools, &judgement);
    cr_expect_not(judgement.refused, "%s", judgement.reason);
    judge_network(&network, rules_builtin(false), &pools, &judgement);
    cr_expect_str_eq(
        judgement.reason,
        "the subnet 172.17.16.0/20 is not allowed; one of 192.168.0.0/16 (by /24 or less), fd99::/48 (by /64 "
        "or less) is (rule \"subnets\" of the built-in rules for other tenants)");
    memcpy(address4, (const uint8_t[]){192, 168, 16, 0}, 4);
    subnet4.prefix = 24;
    judge_network(&network, rules_builtin(false), &pools, &judgement);
    cr_expect(strstr(judgement.reason, "the subnet fd00::/64 is not allowed"), "%s", judgement.reason);
    address6[1] = 0x99;
    judge_network(&network, rules_builtin(false), &pools, &judgement);
    cr_expect_not(judgement.refused, "%s", judgement.reason);
}

Test(networks, rule_files_with_subnets_that_are_none)
{
    static const char *const wrong[] = {"pool", "10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "fd00::/8:64", "all", "**"};
    char text[256];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        (void)snprintf(text, sizeof(text), "{\"version\":1,\"tenants\":[1000],\"subnets\":[\"%s\"]}", wrong[i]);
        cr_expect_eq(parse(text), -1, "%s", wrong[i]);
        cr_expect(strstr(error.message, "policy.d/web.json: \"subnets\" must be"), "%s", error.message);
    }
    cr_assert_eq(parse("{\"version\":1,\"tenants\":[1000],\"subnets\":[\"pools\",\"192.168.0.0/16\",\"fd00::/8\"]}"), 0,
                 "%s", error.message);
    cr_expect_eq(rules.subnets.n, 3);
}

Test(networks, rule_files_with_patterns_that_are_none)
{
    static const char *const wrong[] = {"8080",  "*",           "*:",           "*:0",          "*:65536",
                                        "*:9-8", "1.2.3:80",    "::1:80",       "[1.2.3.4]:80", "*:80-",
                                        "*:-80", "*:80-90-100", "localhost:80", "10.0.0.0/8:80"};
    static const char *const right[] = {"*:80", "0.0.0.0:1-65535", "[::1]:80-90", "192.168.1.1:443"};
    char text[256];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_not(publish_is_pattern(wrong[i]), "%s", wrong[i]);
        (void)snprintf(text, sizeof(text), "{\"version\":1,\"tenants\":[1000],\"publish\":[\"%s\"]}", wrong[i]);
        cr_expect_eq(parse(text), -1, "%s", wrong[i]);
        cr_expect(strstr(error.message, "policy.d/web.json: \"publish\" must be"), "%s", error.message);
    }
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        cr_expect(publish_is_pattern(right[i]), "%s", right[i]);
    }
}

/* Whether a port on `address` ("" for all) is allowed by one pattern, for a container with one address of IPv4 and one
 * of IPv6. */
static bool allows(const char *pattern, const char *address, uint32_t first, uint32_t last)
{
    struct judgement judgement;
    prepare();
    struct rules one = *rules_builtin(false);
    one.publish = (struct rules_list){.n = 1};
    strcpy(one.publish.items[0], pattern);
    bool ipv6 = strchr(address, ':');
    cr_assert(!*address || inet_pton(ipv6 ? AF_INET6 : AF_INET, address, example.host_address) == 1);
    example.port.host_address = (ProtobufCBinaryData){.len = !*address ? 0
                                                             : ipv6    ? 16
                                                                       : 4,
                                                      .data = example.host_address};
    example.port.first_host_port = first;
    example.port.last_host_port = last;
    judge_connection(&example.attachment, &one, &judgement);
    return !judgement.refused;
}

Test(networks, what_patterns_of_ports_allow)
{
    cr_expect(allows("*:80", "", 80, 80));
    cr_expect(allows("*:80", "0.0.0.0", 80, 80));
    cr_expect(allows("*:80", "::", 80, 80));
    cr_expect(allows("*:80", "192.168.1.1", 80, 80));
    cr_expect_not(allows("*:80", "", 80, 81));
    cr_expect_not(allows("*:80", "", 79, 80));
    cr_expect(allows("*:80-90", "", 81, 89));
    cr_expect_not(allows("0.0.0.0:80", "", 80, 80), "that would be all of IPv6, too");
    cr_expect(allows("0.0.0.0:80", "0.0.0.0", 80, 80));
    cr_expect(allows("0.0.0.0:80", "10.0.0.1", 80, 80));
    cr_expect_not(allows("0.0.0.0:80", "::1", 80, 80));
    cr_expect(allows("[::]:80", "::1", 80, 80));
    cr_expect_not(allows("[::]:80", "127.0.0.1", 80, 80));
    cr_expect(allows("127.0.0.1:1-65535", "127.0.0.1", 22, 22));
    cr_expect_not(allows("127.0.0.1:1-65535", "127.0.0.2", 22, 22));
    cr_expect_not(allows("127.0.0.1:1-65535", "0.0.0.0", 22, 22));
    cr_expect_not(allows("127.0.0.1:1-65535", "", 22, 22));
    cr_expect(allows("[::1]:1-65535", "::1", 22, 22));
    cr_expect_not(allows("[::1]:1-65535", "::", 22, 22));
}

Test(networks, a_port_on_all_addresses_is_one_of_the_families_that_the_container_has)
{
    struct judgement judgement;
    struct rules one = *rules_builtin(false);
    one.publish = (struct rules_list){.n = 1, .items = {"0.0.0.0:8080"}};
    judge_connection(&example.attachment, &one, &judgement);
    cr_expect_eq(judgement.rule, RULE_PUBLISH);
    cr_expect(strstr(judgement.reason, "publishing on [::]:8080 is not allowed; on 0.0.0.0:8080 it is"), "%s",
              judgement.reason);
    example.attachment.n_endpoints = 1; /* the one with IPv4 alone */
    judge_connection(&example.attachment, &one, &judgement);
    cr_expect_not(judgement.refused, "%s", judgement.reason);
}

Test(networks, anothers_network)
{
    struct judgement judgement;
    memset(network_id, 0xab, sizeof(network_id));
    judge_network_owner(network_id, &judgement);
    cr_expect(judgement.refused && !judgement_passes(&judgement));
    cr_expect_str_eq(judgement.reason, "network abababababab is none of this tenant's; each may use those it has made "
                                       "(rule \"owner\" of built in)");
}
