/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's root who may do everything in his own network namespace, while netd works in there.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "box.h"

static struct network networks[2];
static struct box box;

static void setup(void)
{
    stage_open();
    for (uint8_t i = 0; i < 2; i++) {
        network_init(&networks[i], (uint8_t)(i + 1), false);
        network_made(&networks[i]);
    }
    box_open(&box, 2);
    (void)box_join(&box, &networks[0], 2);
    box_linked(&box);
}

static void teardown(void)
{
    box_close(&box);
    stage_close();
}

TestSuite(hostile, .init = setup, .fini = teardown, .timeout = 60);

/* Sends to every netlink socket of its namespace what would pass for the kernel's answers to netd's next questions. */
static void forge_answers(int error, unsigned int n)
{
    cr_assert_str_eq(inside(&box,
                            "python3 -c '"
                            "import socket, struct\n"
                            "ports = [line.split()[2] for line in open(\"/proc/%d/net/netlink\")][1:]\n"
                            "with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as s:\n"
                            "    for seq in range(1, %u):\n"
                            "        for port in ports:\n"
                            "            try: s.sendto(struct.pack(\"=IHHII\", 36, 2, 0, seq, 0) + struct.pack(\"=i\", "
                            "%d) + bytes(16), "
                            "socket.MSG_DONTWAIT, (int(port), 0))\n"
                            "            except OSError: pass\n"
                            "print(len(ports) > 0)'",
                            (int)box.pid, n, error),
                     "True");
}

Test(hostile, answers_that_are_not_the_kernels_are_not_heard)
{
    forge_answers(-1, 60);
    (void)box_join(&box, &networks[1], 2);
    box_linked(&box);
    cr_expect(strstr(inside(&box, "ip -o -4 addr show dev eth1"), "172.16.2.2/24"));
    cr_expect_str_eq(stage_findings(), "");
}

Test(hostile, a_flood_is_the_containers_own_loss)
{
    struct bh_error error = {0};
    forge_answers(0, 20000);
    (void)box_join(&box, &networks[1], 2);
    if (box_link(&box, &error) < 0) {
        cr_expect_eq(error.code, BH_UNAVAILABLE, "%s", error.message);
    }
    struct box other;
    box_open(&other, 3);
    (void)box_join(&other, &networks[0], 3);
    box_linked(&other);
    cr_expect_str_eq(stage_findings(), "");
    box_close(&other);
}

Test(hostile, a_name_that_is_taken_in_there_is_an_error_and_nothing_more)
{
    struct bh_error error = {0};
    (void)inside(&box, "ip link add eth1 type veth peer name other");
    (void)box_join(&box, &networks[1], 2);
    cr_expect_eq(box_link(&box, &error), -1);
    cr_expect_eq(error.code, BH_ALREADY_EXISTS, "%s", error.message);
    cr_expect_str_eq(host("ip -br link show type veth | grep -c ^btv"), "1");
    cr_expect_str_eq(stage_findings(), "");
}
