/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "common/error.h"

Test(error, a_chain_reads_from_the_outside_in)
{
    struct bh_error error;
    char text[256];
    cr_assert_eq(bh_error_errno(&error, ENOENT, "open \"%s\"", "/etc/x"), -1);
    cr_assert_eq(error.code, BH_NOT_FOUND);
    cr_assert_eq(error.sys_errno, ENOENT);
    cr_assert_eq(bh_error_wrap(&error, "read the rules"), -1);
    cr_assert_eq(bh_error_wrap(&error, "start"), -1);
    cr_assert_str_eq(bh_error_format(&error, text, sizeof(text)),
                     "start: read the rules: open \"/etc/x\": No such file or directory");
}

Test(error, control_characters_never_reach_a_terminal)
{
    struct bh_error error;
    (void)bh_error_set(&error, BH_INVALID_ARGUMENT, "name \"%s\"", "a\x1b[2Jb\nc");
    cr_assert_str_eq(error.message, "name \"a?[2Jb?c\"");
}

Test(error, truncation_keeps_whole_characters)
{
    struct bh_error error;
    char name[BH_ERROR_MESSAGE_SIZE + 10];
    memset(name, 'a', sizeof(name));
    memcpy(name + BH_ERROR_MESSAGE_SIZE - 3, "\xe2\x82\xac", 3); /* its last byte falls off */
    name[sizeof(name) - 1] = '\0';
    (void)bh_error_set(&error, BH_UNKNOWN, "%s", name);
    cr_assert_eq(strlen(error.message), (size_t)BH_ERROR_MESSAGE_SIZE - 3);
}

Test(error, too_much_context_is_dropped_not_overrun)
{
    struct bh_error error;
    char text[64];
    (void)bh_error_set(&error, BH_INTERNAL, "x");
    for (int i = 0; i < 3 * BH_ERROR_CONTEXT_MAX; i++) {
        (void)bh_error_wrap(&error, "layer %d", i);
    }
    cr_assert_eq(error.n_context, (size_t)BH_ERROR_CONTEXT_MAX);
    cr_assert_lt(strlen(bh_error_format(&error, text, sizeof(text))), sizeof(text));
    cr_assert_eq(bh_error_set(NULL, BH_INTERNAL, "nobody listens"), -1);
}
