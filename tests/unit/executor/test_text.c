/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks of strings from outside.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "text.h"

Test(text, paths_are_absolute_and_without_dots)
{
    static const char *const right[] = {"/", "/a", "/a/b", "/a//b/", "/...", "/a/.b", "/a/b..", "/ü"};
    static const char *const wrong[] = {"", "a", "./a", "/..", "/a/..", "/a/../b", "/.", "/a/./b", "/a\nb", "/a\x7f"};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        cr_expect(text_is_path(right[i]), "%s", right[i]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_not(text_is_path(wrong[i]), "%s", wrong[i]);
    }
    char longest[5000] = "/";
    memset(longest + 1, 'a', 4094);
    cr_expect(text_is_path(longest));
    longest[4095] = 'a';
    cr_expect_not(text_is_path(longest));
}

Test(text, cgroup_paths_never_lead_up)
{
    static const char *const right[] = {"bulkhead", "a/b", "a.b/c-d_e", "..."};
    static const char *const wrong[] = {"", "/a", "a/", "a//b", "..", "a/..", "../a", "a/./b", ".", "a b", "a\n", "+a"};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
        cr_expect(text_is_cgroup_path(right[i]), "%s", right[i]);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        cr_expect_not(text_is_cgroup_path(wrong[i]), "%s", wrong[i]);
    }
}

Test(text, addresses_and_cpu_lists)
{
    cr_expect(text_is_address("127.0.0.1"));
    cr_expect(text_is_address("fe80::1"));
    cr_expect_not(text_is_address("127.1"));
    cr_expect_not(text_is_address("example.com"));
    cr_expect_not(text_is_address("127.0.0.1\nnameserver 6.6.6.6"));
    cr_expect(text_is_cpu_list("0-3,7"));
    cr_expect_not(text_is_cpu_list(""));
    cr_expect_not(text_is_cpu_list("0-3 "));
    cr_expect_not(text_is_cpu_list("a"));
}
