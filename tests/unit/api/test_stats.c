/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernel's table of network interfaces, whose names a container chooses.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "stats_json.h"

static const char table[] =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
    "compressed\n"
    "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0   "
    "       "
    "0\n"
    "  eth0:    2000      20    1    2    0     0          0         0      300       3    4    5    0     0       0   "
    "       "
    "0\n"
    "a-b.c9: 7 8 9 10 0 0 0 0 11 12 13 14 0 0 0 0\n";

Test(stats, networks)
{
    struct network_numbers numbers[NETWORK_INTERFACES_MAX];
    cr_assert_eq(network_parse(table, numbers, NETWORK_INTERFACES_MAX), 2, "without loopback");
    cr_expect_str_eq(numbers[0].name, "eth0");
    cr_expect_eq(numbers[0].rx_bytes, 2000);
    cr_expect_eq(numbers[0].rx_dropped, 2);
    cr_expect_eq(numbers[0].tx_bytes, 300);
    cr_expect_eq(numbers[0].tx_errors, 4);
    cr_expect_str_eq(numbers[1].name, "a-b.c9");
    cr_expect_eq(network_parse(table, numbers, 1), 1, "no more than there is room for");
}

Test(stats, what_is_no_interface_is_left_out)
{
    static const char *const lines[] = {"", "x", "a: 1 2 3\n", "averyveryverylongname: 1 2 3 4 5 6 7 8 9 10 11 12\n",
                                        ": 1 2 3 4 5 6 7 8 9 10 11 12\n"};
    struct network_numbers numbers[4];
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cr_expect_eq(network_parse(lines[i], numbers, 4), 0, "%s", lines[i]);
    }
}
