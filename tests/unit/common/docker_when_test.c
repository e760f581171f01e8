/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments and durations as clients write them.
 */
#include <criterion/criterion.h>

#include "common/docker_when.h"

#define SECOND 1000000000LL
#define NOW    (1700000000LL * SECOND)

static int64_t when(const char *text)
{
    struct bh_error error = {0};
    int64_t ns = -1;
    cr_assert_eq(docker_when_parse("since", text, NOW, &ns, &error), 0, "%s: %s", text, error.message);
    return ns;
}

Test(docker_when, stamps)
{
    cr_assert_eq(when("0"), 0);
    cr_assert_eq(when("1700000000"), NOW);
    cr_assert_eq(when("1700000000.25"), NOW + SECOND / 4);
    cr_assert_eq(when("1700000000.000000001"), NOW + 1);
}

Test(docker_when, times)
{
    cr_assert_eq(when("2023-11-14T22:13:20Z"), NOW);
    cr_assert_eq(when("2023-11-14T22:13:20.5Z"), NOW + SECOND / 2);
    cr_assert_eq(when("2023-11-14T23:13:20+01:00"), NOW);
    cr_assert_eq(when("2023-11-14T22:13:20"), NOW);
    cr_assert_eq(when("2023-11-14T22:13"), NOW - 20 * SECOND);
    cr_assert_eq(when("2023-11-14T22"), NOW - (13 * 60 + 20) * SECOND);
    cr_assert_eq(when("2023-11-14"), NOW - ((22 * 60 + 13) * 60 + 20) * SECOND);
    cr_assert_eq(when("2023-11-14Z"), when("2023-11-14"));
    cr_assert_eq(when("2023-11-14T22:13-01:00"), NOW - 20 * SECOND + 3600 * SECOND);
}

Test(docker_when, ago)
{
    cr_assert_eq(when("10s"), NOW - 10 * SECOND);
    cr_assert_eq(when("1h30m"), NOW - 5400 * SECOND);
    cr_assert_eq(when("1.5h"), NOW - 5400 * SECOND);
    cr_assert_eq(when("250ms"), NOW - SECOND / 4);
    cr_assert_eq(when("-10s"), NOW + 10 * SECOND);
    cr_assert_eq(when("1us"), NOW - 1000);
    cr_assert_eq(when("1\xc2\xb5s"), NOW - 1000);
    cr_assert_eq(when("3ns"), NOW - 3);
    cr_assert_eq(when("0.000000001s"), NOW - 1);
}

Test(docker_when, nonsense_is_refused)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "10",
                                        "1hm",
                                        "h",
                                        "1x",
                                        "1.s.",
                                        "2023-13-01",
                                        "2023-1-1",
                                        "yesterday",
                                        "2023-11-14T",
                                        "--1s",
                                        ".s",
                                        "99999999999999999999h",
                                        "1e5s",
                                        "99999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct bh_error error = {0};
        int64_t ns;
        if (i == 2) {
            continue; /* ten seconds after 1970 */
        }
        cr_assert_eq(docker_when_parse("since", wrong[i], NOW, &ns, &error), -1, "%s", wrong[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}
