/* SPDX-License-Identifier: Apache-2.0
 *
 * RFC 3339 times.
 */
#include <criterion/criterion.h>

#include "timestamp.h"

static int64_t parse(const char *text)
{
    int64_t ns = -1;
    struct bh_error error = {0};
    cr_assert_eq(timestamp_parse(text, &ns, &error), 0, "%s: %s", text, error.message);
    return ns;
}

Test(timestamp, valid_times)
{
    cr_assert_eq(parse("1970-01-01T00:00:00Z"), 0);
    cr_assert_eq(parse("2014-12-11T10:09:08.7Z"), 1418292548700000000);
    cr_assert_eq(parse("2014-12-11T12:09:08.7+02:00"), 1418292548700000000);
    cr_assert_eq(parse("1969-12-31T23:59:59.999999999Z"), -1);
    cr_assert_eq(parse("2000-02-29T00:00:00.1234567891Z"), 951782400123456789);
    cr_assert_eq(parse("0001-01-01T00:00:00Z"), 0);
    cr_assert_eq(parse("9999-12-31T23:59:59Z"), 0);
}

Test(timestamp, invalid_times_are_refused)
{
    static const char *const texts[] = {"",
                                        "yesterday",
                                        "2014-12-11",
                                        "2014-12-11T10:09:08",
                                        "2014-13-11T10:09:08Z",
                                        "2014-12-32T10:09:08Z",
                                        "2014-12-11T24:09:08Z",
                                        "2014-12-11T10:09:08.Z",
                                        "2014-12-11T10:09:08Zx",
                                        "2014-12-11T10:09:08+25:00",
                                        "-014-12-11T10:09:08Z"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int64_t ns;
        struct bh_error error = {0};
        cr_assert_eq(timestamp_parse(texts[i], &ns, &error), -1, "%s", texts[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}
