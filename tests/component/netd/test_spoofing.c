/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's root sends whatever he likes; what is not his own arrives nowhere.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "box.h"

static struct network network;
static struct box box, neighbour;

static void setup(void)
{
    stage_open();
    network_init(&network, 1, true);
    network_made(&network);
    box_open(&box, 2);
    (void)box_join(&box, &network, 2);
    box_linked(&box);
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

TestSuite(spoofing, .init = setup, .fini = teardown, .timeout = 60);

#define OWN     "mac=02:42:ac:10:01:02 to=02:42:ac:10:01:03 "
#define FOREIGN "mac=02:42:ac:10:01:09 to=02:42:ac:10:01:03 "
#define IPV4    "src=172.16.1.2 dst=172.16.1.3 "
#define IPV6    "src=fd00:1::2 dst=fd00:1::3 "
#define LINK    "src=fe80::42:acff:fe10:102 dst=fd00:1::3 "

Test(spoofing, what_is_not_its_own_arrives_nowhere)
{
    static const char *const frames[] = {
        OWN IPV4 "kind=udp label=own-udp",
        OWN IPV4 "kind=arp label=own-arp",
        OWN IPV6 "kind=136 target=fd00:1::2 label=own-advertisement",
        OWN LINK "kind=136 target=fd00:1::2 label=own-advertisement-by-link-address",
        OWN IPV6 "kind=128 target=:: label=own-echo",
        FOREIGN IPV4 "kind=udp label=foreign-mac",
        OWN "src=172.16.1.9 dst=172.16.1.3 kind=udp label=foreign-address",
        OWN "src=172.16.1.1 dst=172.16.1.3 kind=udp label=gateway-address",
        OWN "src=0.0.0.0 dst=172.16.1.3 kind=udp label=no-address",
        OWN "src=172.16.1.1 dst=172.16.1.3 kind=arp label=arp-for-the-gateway",
        OWN IPV4 "sender_mac=02:42:ac:10:01:09 kind=arp label=arp-with-foreign-mac",
        FOREIGN IPV4 "sender_mac=02:42:ac:10:01:02 kind=arp label=arp-from-foreign-mac",
        OWN "src=fd00:1::9 dst=fd00:1::3 kind=128 target=:: label=foreign-ipv6",
        OWN "src=fe80::1 dst=fd00:1::3 kind=128 target=:: label=foreign-link-address",
        OWN IPV6 "kind=136 target=fd00:1::1 label=advertisement-for-the-gateway",
        OWN LINK "kind=134 target=:: label=router-advertisement",
        OWN LINK "kind=137 target=fd00:1::1 label=redirect",
        OWN "src=:: dst=fd00:1::3 kind=136 target=fd00:1::1 label=advertisement-from-nobody",
        OWN IPV4 "kind=udp vlan=1 label=vlan",
        OWN IPV4 "kind=udp type=88b5 label=another-ether-type",
        OWN IPV4 "kind=udp label=end",
    };
    FILE *stream = hear(&neighbour);
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        cr_assert_str_eq(inside(&box, "python3 " BH_TRAFFIC " forge eth0 %s", frames[i]), "");
    }
    char heard[4096] = "";
    size_t n = fread(heard, 1, sizeof(heard) - 1, stream);
    heard[n] = '\0';
    (void)fclose(stream);
    cr_expect_str_eq(heard, "own-udp\nown-arp\nown-advertisement\nown-advertisement-by-link-address\nown-echo\nend\n");
}

Test(spoofing, without_the_rules_all_of_it_would_arrive)
{
    cr_assert_eq(kill(stage.pid, SIGSTOP), 0); /* it would put them back */
    (void)host("nft flush chain bridge bulkhead-bt ports");
    FILE *stream = hear(&neighbour);
    (void)inside(&box, "python3 " BH_TRAFFIC " forge eth0 " FOREIGN IPV4 "kind=udp label=foreign-mac");
    (void)inside(&box, "python3 " BH_TRAFFIC " forge eth0 " OWN "src=172.16.1.1 dst=172.16.1.3 kind=arp label=arp");
    (void)inside(&box, "python3 " BH_TRAFFIC " forge eth0 " OWN IPV4 "kind=udp label=end");
    char heard[4096] = "";
    size_t n = fread(heard, 1, sizeof(heard) - 1, stream);
    heard[n] = '\0';
    (void)fclose(stream);
    cr_assert_eq(kill(stage.pid, SIGCONT), 0);
    cr_expect_str_eq(heard, "foreign-mac\narp\nend\n");
}
