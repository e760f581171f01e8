/* SPDX-License-Identifier: Apache-2.0
 *
 * netd is killed: what it made works on, and its successor takes it over as it is told again, or takes it away.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "common/cleanup.h"

static struct network networks[2];
static struct box boxes[2], machine;

static void setup(void)
{
    stage_open();
    machine_open(&machine);
    for (uint8_t i = 0; i < 2; i++) {
        network_init(&networks[i], (uint8_t)(i + 1), true);
        network_made(&networks[i]);
        box_open(&boxes[i], (uint8_t)(i + 2));
        (void)box_join(&boxes[i], &networks[i], (uint8_t)(i + 2));
        box_publish(&boxes[i], BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", (uint16_t)(8080 + i), (uint16_t)(8080 + i), 80);
        box_linked(&boxes[i]);
        serve(&boxes[i], "tcp 0.0.0.0 80");
    }
}

static void teardown(void)
{
    box_close(&boxes[0]);
    box_close(&boxes[1]);
    stage_close();
}

TestSuite(restart, .init = setup, .fini = teardown, .timeout = 60);

static size_t listed(void)
{
    struct bh_error error = {0};
    struct bh_call *call = NULL;
    size_t n = 0;
    Bulkhead__ListMadeNetworks body = BULKHEAD__LIST_MADE_NETWORKS__INIT;
    Bulkhead__PolicydToNetd packet = BULKHEAD__POLICYD_TO_NETD__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_NETD__BODY_LIST_MADE_NETWORKS;
    packet.list_made_networks = &body;
    cr_assert_eq(bh_call_start(stage.channels[BH_ROLE_POLICYD], &packet.base, NULL, 0, 0, &call, &error), 0);
    for (bool more = true; more;) {
        bh_automessage struct bh_message *message = NULL;
        cr_assert_eq(bh_call_next(call, &message, &error), 0, "%s", error.message);
        more = message->more;
        if (message->kind == BULKHEAD__NETD_TO_POLICYD__BODY_NETWORK_FOUND) {
            const Bulkhead__NetworkFound *found = bh_message_body(message);
            cr_expect_eq(found->network->tenant_uid, STAGE_TENANT);
            n++;
        }
    }
    bh_call_free(call);
    return n;
}

Test(restart, what_is_told_again_is_taken_over_as_it_is)
{
    char before[16384];
    (void)snprintf(before, sizeof(before), "%s", host("ip -br link | cut -d' ' -f1; nft -s list ruleset"));
    stage_restart();
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello", "while nothing is told yet");
    cr_expect_str_eq(asked(&boxes[0], "tcp 172.16.2.3 80"), "timeout", "nor are networks open");
    cr_expect_eq(listed(), 2u);
    for (size_t i = 0; i < 2; i++) {
        network_made(&networks[i]);
        box_linked(&boxes[i]);
        cr_expect_eq(boxes[i].published[0], 8080 + i);
    }
    cr_expect_eq(listed(), 2u);
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1; nft -s list ruleset"), before);
    cr_expect_str_eq(stage_findings(), "");
    stage_settle();
    cr_expect_str_eq(stage_findings(), "");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8081"), "198.51.100.2 hello");
    cr_expect_str_eq(host("cat /proc/sys/net/ipv4/ip_forward"), "1");
}

Test(restart, what_is_not_told_again_goes)
{
    stage_restart();
    network_made(&networks[0]);
    box_linked(&boxes[0]);
    stage_settle();
    cr_expect_eq(listed(), 1u);
    cr_expect_str_eq(host("ip -br link show type bridge | cut -d' ' -f1"), "bt-010101010101");
    cr_expect_str_eq(host("ip -br link show type veth | grep -c ^btv"), "1");
    cr_expect_str_eq(stage_findings(), "");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8081"), "ECONNREFUSED");
}

Test(restart, a_port_of_somebody_who_ended_meanwhile_is_free)
{
    stage_restart();
    network_made(&networks[0]);
    network_made(&networks[1]);
    box_linked(&boxes[1]);
    struct box third;
    box_open(&third, 9);
    (void)box_join(&third, &networks[0], 9);
    box_publish(&third, BULKHEAD__TRANSPORT__TRANSPORT_TCP, "", 8080, 8080, 81);
    box_linked(&third);
    serve(&third, "tcp 0.0.0.0 81");
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    stage_settle();
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    cr_expect_str_eq(stage_findings(), "");
    box_close(&third);
}

Test(restart, rules_that_went_meanwhile_come_back_with_all_that_is_known)
{
    struct bh_error error = {0};
    stage_restart();
    (void)host("nft delete table ip bulkhead-bt");
    network_made(&networks[0]);
    box_linked(&boxes[0]);
    cr_expect_str_eq(asked(&machine, "tcp 198.51.100.1 8080"), "198.51.100.2 hello");
    cr_assert_eq(network_drop(&networks[1], &error), 0, "one of an earlier life: %s", error.message);
    stage_settle();
    cr_expect_str_eq(stage_findings(), "");
    cr_assert_eq(box_disconnect(&boxes[0], -1, &error), 0, "%s", error.message);
    cr_assert_eq(network_drop(&networks[0], &error), 0, "%s", error.message);
    cr_expect_str_eq(host("ip -br link | cut -d' ' -f1 | cut -d@ -f1 | sort | tr '\\n' ' '"), "bti0 bti1 cable lo ");
}
