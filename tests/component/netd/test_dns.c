/* SPDX-License-Identifier: Apache-2.0
 *
 * 127.0.0.11 port 53 in a container leads to its tenant's DNS worker, and leaves that port to the container.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "box.h"

static struct network network;
static struct box boxes[2];
static char *names[2][1] = {{"web"}, {"client"}};

static void setup(void)
{
    stage_open();
    network_init(&network, 1, true);
    network_made(&network);
    for (uint8_t i = 0; i < 2; i++) {
        box_open(&boxes[i], (uint8_t)(i + 2));
        (void)box_join(&boxes[i], &network, (uint8_t)(i + 2));
        boxes[i].endpoints[0].names = names[i];
        boxes[i].endpoints[0].n_names = 1;
        boxes[i].attachment.embedded_dns = true;
        boxes[i].attachment.internal_dns = true;
        box_linked(&boxes[i]);
    }
}

static void teardown(void)
{
    box_close(&boxes[0]);
    box_close(&boxes[1]);
    stage_close();
}

TestSuite(dns, .init = setup, .fini = teardown, .timeout = 60);

static const char *dig(const struct box *box, const char *what)
{
    return inside(box, "dig +short +time=2 +tries=1 @127.0.0.11 %s", what);
}

Test(dns, neighbours_are_known_by_their_names)
{
    cr_expect_str_eq(dig(&boxes[1], "web A"), "172.16.1.2");
    cr_expect_str_eq(dig(&boxes[1], "web AAAA"), "fd00:1::2");
    cr_expect_str_eq(dig(&boxes[1], "+tcp web A"), "172.16.1.2");
    cr_expect(strstr(dig(&boxes[1], "-x 172.16.1.2"), "web.net1."));
    serve(&boxes[1], "udp 0.0.0.0 53");
    cr_expect_str_eq(asked(&boxes[0], "udp 172.16.1.3 53"), "172.16.1.2 hello", "the container's own port 53");
    cr_expect_str_eq(dig(&boxes[1], "web A"), "172.16.1.2", "and the names beside it");
}

Test(dns, names_come_and_go_with_links)
{
    struct bh_error error = {0};
    cr_assert_eq(box_disconnect(&boxes[0], 0, &error), 0, "%s", error.message);
    cr_expect_str_eq(dig(&boxes[1], "web A"), "");
    box_linked(&boxes[0]);
    cr_expect_str_eq(dig(&boxes[1], "web A"), "172.16.1.2");
}

Test(dns, after_a_restart_names_are_answered_again)
{
    stage_restart();
    network_made(&network);
    for (size_t i = 0; i < 2; i++) {
        box_linked(&boxes[i]);
    }
    cr_expect_str_eq(dig(&boxes[1], "web A"), "172.16.1.2");
    cr_expect_str_eq(dig(&boxes[0], "client A"), "172.16.1.3");
}
