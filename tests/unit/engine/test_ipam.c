/* SPDX-License-Identifier: Apache-2.0
 *
 * Subnets and addresses: what is chosen, and that nothing is given twice.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/ipam.h"

static struct ip ip(const char *text)
{
    struct ip ip = {.n_bytes = 0};
    cr_assert(ip_parse(text, &ip), "%s", text);
    return ip;
}

static struct ip_subnet subnet(const char *text)
{
    struct ip_subnet subnet;
    cr_assert(ip_parse_subnet(text, &subnet), "%s", text);
    return subnet;
}

static void expect(const struct ip *got, const char *want)
{
    char text[IP_TEXT_SIZE];
    cr_assert_str_eq(ip_text(got, text), want);
}

static void expect_subnet(const struct ip_subnet *got, const char *want)
{
    char text[IP_SUBNET_TEXT_SIZE];
    cr_assert_str_eq(ip_subnet_text(got, text), want);
}

Test(ipam, words_that_are_no_subnet)
{
    static const char *const bad[] = {"",           "10.0.0.0",    "10.0.0.0/",   "10.0.0.0/33", "10.0.0/24",
                                      "fd00::/129", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/08", "/8",
                                      "x/8",        "010.0.0.0/8"};
    struct ip_subnet parsed;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_not(ip_parse_subnet(bad[i], &parsed), "\"%s\"", bad[i]);
    }
    parsed = subnet("172.31.5.7/24");
    cr_assert_not(ip_subnet_is_whole(&parsed));
    parsed = subnet("fd00:1::/48");
    cr_assert(ip_subnet_is_whole(&parsed));
    expect_subnet(&parsed, "fd00:1::/48");
}

Test(ipam, first_last_next_and_step)
{
    const struct ip_subnet odd = subnet("10.20.30.40/21");
    struct ip first = ip_first(&odd), last = ip_last(&odd);
    expect(&first, "10.20.24.0");
    expect(&last, "10.20.31.255");
    cr_assert(ip_next(&last));
    expect(&last, "10.20.32.0");
    cr_assert(ip_previous(&last));
    expect(&last, "10.20.31.255");
    cr_assert(ip_step(&first, 20));
    expect(&first, "10.20.40.0");
    struct ip highest = ip("255.255.255.255"), six = ip("fd00::ffff:ffff");
    cr_assert_not(ip_next(&highest));
    expect(&highest, "255.255.255.255");
    cr_assert(ip_next(&six));
    expect(&six, "fd00::1:0:0");
    cr_assert(ip_step(&six, 64));
    expect(&six, "fd00::1:0:1:0:0");
    cr_assert_not(ip_step(&highest, 8));
}

Test(ipam, the_lowest_subnet_that_overlaps_with_nothing)
{
    struct bh_error error = {0};
    struct ip_subnet chosen;
    struct ip_pools pools;
    const Bulkhead__Config config = BULKHEAD__CONFIG__INIT;
    ip_pools_read(&config, &pools);
    const struct ip_subnet taken[] = {subnet("172.16.0.0/20"), subnet("172.16.16.128/25"), subnet("172.16.64.0/18"),
                                      subnet("172.16.32.0/20"), subnet("10.0.0.0/8")};
    cr_assert_eq(ipam_choose_subnet(pools.list, pools.n, 4, NULL, 0, &chosen, &error), 0);
    expect_subnet(&chosen, "172.16.0.0/20");
    cr_assert_eq(ipam_choose_subnet(pools.list, pools.n, 4, taken, 3, &chosen, &error), 0);
    expect_subnet(&chosen, "172.16.32.0/20");
    cr_assert_eq(ipam_choose_subnet(pools.list, pools.n, 4, taken, 4, &chosen, &error), 0);
    expect_subnet(&chosen, "172.16.48.0/20");
    const struct ip_subnet first_pool[] = {subnet("172.16.0.0/12"), subnet("10.128.0.0/19")};
    cr_assert_eq(ipam_choose_subnet(pools.list, pools.n, 4, first_pool, 2, &chosen, &error), 0);
    expect_subnet(&chosen, "10.128.32.0/20");
    const struct ip_subnet all[] = {subnet("0.0.0.0/0")};
    cr_assert_eq(ipam_choose_subnet(pools.list, pools.n, 4, all, 1, &chosen, &error), -1);
    cr_assert_eq(error.code, BH_NOT_FOUND);
    const struct ip_pool tiny = {subnet("10.9.0.0/24"), 25};
    const struct ip_subnet both[] = {subnet("10.9.0.0/25"), subnet("10.9.0.200/32")};
    cr_assert_eq(ipam_choose_subnet(&tiny, 1, 4, both, 1, &chosen, &error), 0);
    expect_subnet(&chosen, "10.9.0.128/25");
    cr_assert_eq(ipam_choose_subnet(&tiny, 1, 4, both, 2, &chosen, &error), -1);
    cr_assert_eq(ipam_choose_subnet(&tiny, 1, 16, NULL, 0, &chosen, &error), -1, "no pool of that family");
}

Test(ipam, a_pool_at_the_end_of_all_addresses)
{
    struct bh_error error = {0};
    struct ip_subnet chosen;
    const struct ip_pool end = {subnet("255.255.255.0/24"), 25};
    const struct ip_subnet taken[] = {subnet("255.255.255.0/25"), subnet("255.255.255.128/25")};
    cr_assert_eq(ipam_choose_subnet(&end, 1, 4, taken, 2, &chosen, &error), -1);
    const uint8_t random[7] = {1, 2, 3, 4, 5, 6, 7};
    chosen = ipam_local_subnet(random);
    expect_subnet(&chosen, "fd01:203:405:607::/64");
}

Test(ipam, addresses_go_up_and_come_back_to_the_lowest)
{
    struct bh_error error = {0};
    struct ip chosen;
    const struct ip gateway = ip("10.9.0.1");
    struct ip taken[] = {ip("10.9.0.2"), ip("10.9.0.3"), ip("10.9.0.5")};
    struct ipam_space space = {.subnet = subnet("10.9.0.0/29"), .reserved = &gateway, .n_reserved = 1};
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), 0);
    expect(&chosen, "10.9.0.2");
    space.taken = taken;
    space.n_taken = 3;
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), 0);
    expect(&chosen, "10.9.0.4");
    space.last = ip("10.9.0.5");
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), 0);
    expect(&chosen, "10.9.0.6");
    space.last = ip("10.9.0.6");
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), 0);
    expect(&chosen, "10.9.0.4"); /* neither .7, the broadcast address, nor .0 */
    space.last = ip("10.10.0.6");
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), 0);
    expect(&chosen, "10.9.0.4");
}

Test(ipam, a_full_subnet_is_an_error)
{
    struct bh_error error = {0};
    struct ip chosen;
    const struct ip gateway = ip("10.9.0.1"), taken = ip("10.9.0.2");
    const struct ipam_space space = {
        .subnet = subnet("10.9.0.0/30"), .reserved = &gateway, .n_reserved = 1, .taken = &taken, .n_taken = 1};
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), -1);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED);
    const struct ipam_space none = {.subnet = subnet("10.9.0.0/31")};
    cr_assert_eq(ipam_choose_gateway(&none, &chosen, &error), -1);
}

Test(ipam, every_address_of_a_subnet_is_given_once)
{
    struct bh_error error = {0};
    struct ip taken[256], chosen;
    const struct ip reserved[] = {ip("10.9.0.1"), ip("10.9.0.77")};
    struct ipam_space space = {.subnet = subnet("10.9.0.0/24"), .reserved = reserved, .n_reserved = 2, .taken = taken};
    while (ipam_choose_address(&space, &chosen, &error) == 0) {
        for (size_t i = 0; i < space.n_taken; i++) {
            cr_assert_neq(ip_compare(&taken[i], &chosen), 0);
        }
        cr_assert_eq(ipam_check_address(&space, &chosen, &error), 0);
        taken[space.n_taken++] = chosen; /* they come in ascending order */
        space.last = chosen;
        cr_assert_leq(space.n_taken, 252);
    }
    cr_assert_eq(space.n_taken, 252);
    chosen = ip("10.9.0.77");
    cr_assert_eq(ipam_check_address(&space, &chosen, &error), -1);
    cr_assert_eq(error.code, BH_FAILED_PRECONDITION);
    chosen = ip("10.9.1.1");
    cr_assert_eq(ipam_check_address(&space, &chosen, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(ipam, a_part_of_the_subnet)
{
    struct bh_error error = {0};
    struct ip chosen;
    const struct ip reserved[] = {ip("10.30.5.0")};
    struct ipam_space space = {
        .subnet = subnet("10.30.0.0/16"), .range = subnet("10.30.5.0/30"), .reserved = reserved, .n_reserved = 1};
    cr_assert_eq(ipam_choose_gateway(&space, &chosen, &error), 0);
    expect(&chosen, "10.30.5.1");
    space.last = ip("10.30.5.3");
    cr_assert_eq(ipam_choose_address(&space, &chosen, &error), 0);
    expect(&chosen, "10.30.5.1");
    chosen = ip("10.30.9.9"); /* asked for by name, it may lie outside of the part */
    cr_assert_eq(ipam_check_address(&space, &chosen, &error), 0);
}

Test(ipam, mac_addresses)
{
    uint8_t mac[6];
    const struct ip four = ip("172.17.0.2"), six = ip("fd00::1234:5678");
    ipam_mac(&four, mac);
    cr_assert_arr_eq(mac, ((uint8_t[]){0x02, 0x42, 172, 17, 0, 2}), 6);
    ipam_mac(&six, mac);
    cr_assert_arr_eq(mac, ((uint8_t[]){0x02, 0x42, 0x12, 0x34, 0x56, 0x78}), 6);
}
