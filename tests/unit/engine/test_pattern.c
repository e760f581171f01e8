/* SPDX-License-Identifier: Apache-2.0
 *
 * Regular expressions of clients: what they find, what is none, and that no pattern takes long.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/pattern.h"

static bool finds(const char *text, const char *subject)
{
    struct pattern pattern;
    struct bh_error error = {0};
    cr_assert_eq(pattern_compile(text, &pattern, &error), 0, "%s: %s", text, error.message);
    return pattern_finds(&pattern, subject);
}

Test(pattern, finds)
{
    static const struct {
        const char *pattern, *subject;
        bool found;
    } rows[] = {
        {"", "anything", true},
        {"web", "my-web-1", true},
        {"^web", "my-web", false},
        {"^web$", "web", true},
        {"^web$", "web1", false},
        {"w.b", "wxb", true},
        {"w.b", "wb", false},
        {"^a*$", "", true},
        {"^a*$", "aaa", true},
        {"^a*$", "aab", false},
        {"^ab+c$", "abbbc", true},
        {"^ab+c$", "ac", false},
        {"^ab?c$", "ac", true},
        {"^ab?c$", "abbc", false},
        {"^(foo|bar)$", "bar", true},
        {"^(foo|bar)$", "foo", true},
        {"^(foo|bar)$", "foobar", false},
        {"^a(b|c|d)*e$", "abcdbe", true},
        {"^(a|b|c)+$", "cab", true},
        {"one|two|three", "xtwox", true},
        {"^[a-c]+[^0-9]$", "abcx", true},
        {"^[a-c]+[^0-9]$", "abc5", false},
        {"^[]x]$", "]", true},
        {"^web-\\d+$", "web-42", true},
        {"^web-\\d+$", "web-x", false},
        {"^\\w+\\.\\w$", "a_b.c", true},
        {"^(?:ab)+$", "abab", true},
        {"a||b", "x", true},
        {"^()$", "", true},
        {"x$", "xy", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_expect_eq(finds(rows[i].pattern, rows[i].subject), rows[i].found, "%s in %s", rows[i].pattern,
                     rows[i].subject);
    }
}

Test(pattern, what_is_none_is_refused)
{
    static const char *const rows[] = {
        "*", "+a", "(a", "a)", "[a", "[z-a]", "a{2}", "\\", "((((((((((((((((((((((((((((((((((a"};
    struct pattern pattern;
    struct bh_error error;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bh_error_clear(&error);
        cr_expect_eq(pattern_compile(rows[i], &pattern, &error), -1, "%s", rows[i]);
        cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
    }
    char longer[4 * PATTERN_STEPS_MAX];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    cr_expect_eq(pattern_compile(longer, &pattern, &error), -1);
}

Test(pattern, never_takes_long, .timeout = 5)
{
    char text[20001];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_expect_not(finds("^(a*)*(a*)*(a|aa)+(a|a)*b$", text));
    cr_expect_not(finds("(((((a+)+)+)+)+)+$b", text));
}
