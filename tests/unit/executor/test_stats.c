/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's files become numbers.
 */
#include <criterion/criterion.h>

#include "stats.h"

Test(stats, lines_of_names_and_numbers)
{
    static const char text[] = "nr_periods 5\nnr_throttled 2\nthrottled_time 77\n";
    cr_expect_eq(stats_find(text, "nr_periods"), 5);
    cr_expect_eq(stats_find(text, "throttled_time"), 77);
    cr_expect_eq(stats_find(text, "nr_thrott"), 0, "not the beginning of another name");
    cr_expect_eq(stats_find("", "x"), 0);
}

Test(stats, the_hosts_processors)
{
    uint64_t ns;
    uint32_t processors;
    stats_system("cpu  1 2 3 4 5 6 7 100 200\ncpu0 1 1 1 1\ncpu1 0 0 0 0\nintr 5\n", &ns, &processors);
    cr_expect_eq(ns, 28ULL * 10000000ULL, "seven fields of ticks");
    cr_expect_eq(processors, 2);
    stats_system("", &ns, &processors);
    cr_expect_eq(ns, 0);
    cr_expect_eq(processors, 0);
}

Test(stats, block_devices)
{
    uint32_t major, minor;
    const char *operation;
    uint64_t value;
    cr_expect(stats_block_line("254:1 Read 4096\n", &major, &minor, &operation, &value));
    cr_expect_eq(major, 254);
    cr_expect_eq(minor, 1);
    cr_expect_str_eq(operation, "Read");
    cr_expect_eq(value, 4096);
    cr_expect_not(stats_block_line("Total 5\n", &major, &minor, &operation, &value));
    cr_expect_not(stats_block_line("1:1 Frob 5\n", &major, &minor, &operation, &value));
}

Test(stats, names)
{
    cr_expect(stats_is_name("total_rss 5", 9));
    cr_expect_not(stats_is_name("a-b", 3));
    cr_expect_not(stats_is_name("", 0));
}
