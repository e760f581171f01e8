/* SPDX-License-Identifier: Apache-2.0
 *
 * Id ranges: disjoint, remembered, never handed on.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "ranges.h"

static char path[] = "/tmp/bh-ranges-XXXXXX";
static int folder = -1;
static struct bh_error error;

static void make(void)
{
    cr_assert(mkdtemp(path));
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void unmake(void)
{
    (void)unlinkat(folder, "ranges", 0);
    (void)rmdir(path);
}

static void put(const char *text)
{
    bh_autoclose int fd = openat(folder, "ranges", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

Test(ranges, are_disjoint_and_remembered, .init = make, .fini = unmake)
{
    struct ranges ranges;
    struct range a;
    struct range b;
    struct range again;
    cr_assert_eq(ranges_open(&ranges, folder, 1000000, 2, 500, &error), 0, "%s", error.message);
    cr_assert_eq(ranges_get(&ranges, 77, &a, &error), 0);
    cr_assert_eq(ranges_get(&ranges, 88, &b, &error), 0);
    cr_assert_eq(a.id_base, 1000000);
    cr_assert_eq(b.id_base, 1000000 + BH_TENANT_IDS);
    cr_assert_eq(a.monitor_uid, 500);
    cr_assert_eq(b.monitor_uid, 501);
    cr_assert_eq(ranges_get(&ranges, 99, &again, &error), -1);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED);
    ranges_close(&ranges);
    cr_assert_eq(ranges_open(&ranges, folder, 1000000, 3, 500, &error), 0, "%s", error.message);
    cr_assert_eq(ranges_get(&ranges, 88, &again, &error), 0);
    cr_assert_eq(again.id_base, b.id_base);
    ranges_close(&ranges);
}

Test(ranges, a_torn_line_is_cut_off, .init = make, .fini = unmake)
{
    put("0 1000\n1 10");
    struct ranges ranges;
    struct range range;
    cr_assert_eq(ranges_open(&ranges, folder, 1000000, 5, 500, &error), 0, "%s", error.message);
    cr_assert_eq(ranges.n, 1);
    cr_assert_eq(ranges_get(&ranges, 2000, &range, &error), 0);
    cr_assert_eq(range.id_base, 1000000 + BH_TENANT_IDS);
    ranges_close(&ranges);
}

Test(ranges, a_file_that_makes_no_sense_stops_the_start, .init = make, .fini = unmake)
{
    const char *bad[] = {"1 1000\n", "0 1000\n1 1000\n", "x\n", "0 1\n1 2\n2 3\n3 4\n", "0 1 2\n", "\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put(bad[i]);
        struct ranges ranges;
        cr_assert_eq(ranges_open(&ranges, folder, 1000000, 3, 500, &error), -1, "%s", bad[i]);
        cr_assert_eq(error.code, BH_DATA_LOSS);
        ranges_close(&ranges);
    }
}

Test(ranges, must_fit_and_not_hold_the_monitors, .init = make, .fini = unmake)
{
    const uint32_t bad[][3] = {
        {0, 1, 1}, {1, 0, 1}, {1, 1, 0}, {0xffff0000, 2, 1}, {1, 70000, 1}, {100000, 10, 200000}, {100000, 10, 99999}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ranges ranges;
        cr_assert_eq(ranges_open(&ranges, folder, bad[i][0], bad[i][1], bad[i][2], &error), -1, "row %zu", i);
        ranges_close(&ranges);
    }
}
