/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a container says becomes one valid line of JSON.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "json_line.h"

static const char *format(const char *text, size_t n, bool newline)
{
    static char buffer[MONITOR_RECORD_BYTES_MAX + 1];
    size_t used = monitor_json_line(buffer, (const uint8_t *)text, n, newline, "stdout", "T", 1);
    buffer[used] = '\0';
    return buffer;
}

#define FRAME(text) "{\"log\":\"" text "\",\"stream\":\"stdout\",\"time\":\"T\"}\n"

Test(json_line, plain_text)
{
    cr_assert_str_eq(format("hello", 5, true), FRAME("hello\\n"));
    cr_assert_str_eq(format("hello", 5, false), FRAME("hello"));
    cr_assert_str_eq(format("", 0, true), FRAME("\\n"));
}

Test(json_line, escapes_as_go_does)
{
    cr_assert_str_eq(format("a\"b\\c\td\re", 9, false), FRAME("a\\\"b\\\\c\\td\\re"));
    cr_assert_str_eq(format("<a>&\x01\x1b[0m\x7f", 10, false), FRAME("\\u003ca\\u003e\\u0026\\u0001\\u001b[0m\x7f"));
    cr_assert_str_eq(format("\0", 1, false), FRAME("\\u0000"));
    cr_assert_str_eq(format("\xe2\x80\xa8\xe2\x80\xa9", 6, false), FRAME("\\u2028\\u2029"));
}

Test(json_line, utf8_passes_and_what_is_none_is_replaced)
{
    cr_assert_str_eq(format("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2", 15, false),
                     FRAME("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2"));
    cr_assert_str_eq(format("a\xff z", 4, false), FRAME("a\\ufffd z"));
    cr_assert_str_eq(format("\xc0\xaf", 2, false), FRAME("\\ufffd\\ufffd"), "overlong");
    cr_assert_str_eq(format("\xed\xa0\x80", 3, false), FRAME("\\ufffd\\ufffd\\ufffd"), "surrogate");
    cr_assert_str_eq(format("\xf4\x90\x80\x80", 4, false), FRAME("\\ufffd\\ufffd\\ufffd\\ufffd"), "beyond U+10FFFF");
    cr_assert_str_eq(format("\xe2\x82", 2, false), FRAME("\\ufffd\\ufffd"), "cut short");
}

Test(json_line, the_worst_line_fits)
{
    static char text[MONITOR_LINE_BYTES_MAX];
    memset(text, 0x01, sizeof(text));
    static char buffer[MONITOR_RECORD_BYTES_MAX];
    char time[MONITOR_TIME_SIZE];
    size_t n_time = monitor_time_format(4102444799999999999LL, time);
    size_t used = monitor_json_line(buffer, (const uint8_t *)text, sizeof(text), true, "stderr", time, n_time);
    cr_assert_leq(used, MONITOR_RECORD_BYTES_MAX);
}

Test(json_line, time_is_rfc3339_with_trimmed_nanoseconds)
{
    char text[MONITOR_TIME_SIZE];
    (void)monitor_time_format(0, text);
    cr_assert_str_eq(text, "1970-01-01T00:00:00Z");
    (void)monitor_time_format(1418336045123456789LL, text);
    cr_assert_str_eq(text, "2014-12-11T22:14:05.123456789Z");
    (void)monitor_time_format(1418336045120000000LL, text);
    cr_assert_str_eq(text, "2014-12-11T22:14:05.12Z");
    (void)monitor_time_format(951782400000000001LL, text); /* a leap day of a leap century */
    cr_assert_str_eq(text, "2000-02-29T00:00:00.000000001Z");
    (void)monitor_time_format(1735689599999999999LL, text);
    cr_assert_str_eq(text, "2024-12-31T23:59:59.999999999Z");
}
