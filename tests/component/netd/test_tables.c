/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables beside somebody else's: flushed and put back, changed and found, and nothing of others' touched.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "box.h"

static struct network network;
static struct box box, machine;

static void setup(void)
{
    stage_open();
    machine_open(&machine);
    network_init(&network, 1, true);
    network_made(&network);
    box_open(&box, 2);
    (void)box_join(&box, &network, 2);
    box_publish(&box, BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 80);
    box_linked(&box);
    serve(&box, "tcp 0.0.0.0 80");
}

static void teardown(void)
{
    box_close(&box);
    stage_close();
}

TestSuite(tables, .init = setup, .fini = teardown, .timeout = 60);

static const char rules[] = "nft -s list ruleset";

Test(tables, a_firewall_that_is_flushed_gets_them_back)
{
    char before[16384];
    (void)snprintf(before, sizeof(before), "%s", host("%s", rules));
    (void)host("nft flush ruleset");
    cr_expect(host_soon(before, "%s", rules));
    cr_expect_str_eq(stage_findings(), "");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    /* A reload as `nft -f` does it: all at once. */
    (void)host("printf 'flush ruleset\ntable inet filter { chain input { type filter hook input priority 0; }; }\n' | "
               "nft -f -");
    cr_expect(host_soon("3", "nft list tables | grep -c bulkhead-bt || true"));
    cr_expect(strstr(host("%s", rules), "table inet filter"), "theirs is there as well");
}

Test(tables, settling_puts_back_what_a_look_finds)
{
    static const struct {
        const char *command, *finding;
    } changes[] = {
        {"nft delete element ip bulkhead-bt ports_any '{ tcp . 8080 }'",
         "Set ports_any of table ip bulkhead-bt lacks 1 of 1"},
        {"nft add element ip bulkhead-bt bridges '{ eth9 }'", "has 1 that nobody asked for"},
        {"nft flush set bridge bulkhead-bt macs", "Set macs of table bridge bulkhead-bt lacks 1 of 1"},
        {"echo 0 > /proc/sys/net/ipv4/ip_forward", "The host does not forward: net/ipv4/ip_forward is 0"},
        {"ip link del bt-010101010101", "Link bt-010101010101 of network \"net1\" is missing"},
        {"ip link set $(ip -br link | grep -o '^btv[^@]*') nomaster", "is no port of network \"net1\""},
        {"ip link del bti0", "Link bti0, on which published ports rest, is missing"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        cr_assert_str_eq(stage_findings(), "");
        (void)host("%s", changes[i].command);
        cr_expect(strstr(stage_findings(), changes[i].finding), "%s: %s", changes[i].command, stage_findings());
        stage_settle();
        cr_expect_str_eq(stage_findings(), "", "%s", changes[i].command);
    }
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
}

Test(tables, changing_goes_on_where_somebody_took_elements_away)
{
    struct box second;
    struct bh_error error = {0};
    (void)host("nft flush map ip bulkhead-bt ports_any; nft flush set bridge bulkhead-bt macs");
    box_open(&second, 3);
    (void)box_join(&second, &network, 3);
    box_linked(&second);
    cr_expect_eq(box_disconnect(&box, -1, &error), 0, "%s", error.message);
    cr_expect_str_eq(stage_findings(), "");
    box_close(&second);
}

Test(tables, a_rule_that_somebody_changed_is_put_back)
{
    static const char *const changes[] = {
        "nft add rule ip bulkhead-bt to_container accept",
        "nft flush chain bridge bulkhead-bt ports",
        "nft flush table ip6 bulkhead-bt",
        "nft delete table bridge bulkhead-bt",
    };
    char before[16384];
    (void)snprintf(before, sizeof(before), "%s", host("%s", rules));
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        (void)host("%s", changes[i]);
        cr_expect(host_soon(before, "%s", rules), "%s", changes[i]);
        cr_expect_str_eq(stage_findings(), "");
    }
}

Test(tables, when_all_is_dropped_only_the_tables_skeleton_is_left)
{
    struct bh_error error = {0};
    cr_assert_eq(box_disconnect(&box, -1, &error), 0, "%s", error.message);
    cr_expect_eq(network_drop(&network, &error), 0, "%s", error.message);
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1 | cut -d@ -f1 | sort | tr '\\n' ' '"), "bti0 bti1 cable lo ");
    cr_expect_str_eq(host("nft list ruleset | grep -c elements || true"), "0");
    cr_expect_str_eq(host("ss -Hltn; ss -Hlun"), "");
}
