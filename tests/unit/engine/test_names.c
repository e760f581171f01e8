/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of containers and signals, prefixes of ids, references.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/names.h"
#include "services/engine/resolve.h"
#include "services/engine/signals.h"

Test(names, of_containers)
{
    struct bh_error error = {0};
    char name[BH_NAME_BYTES_MAX + 1], longest[BH_NAME_BYTES_MAX + 2];
    cr_assert_eq(name_check("/web-1.x_y", name, &error), 0);
    cr_assert_str_eq(name, "web-1.x_y");
    static const char *const bad[] = {"", "/", "x", "-web", ".web", "web/db", "web db", "web\n", "wéb", "../x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(name_check(bad[i], name, &error), -1, "\"%s\"", bad[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
    memset(longest, 'a', sizeof longest);
    longest[BH_NAME_BYTES_MAX + 1] = '\0';
    cr_assert_eq(name_check(longest, name, &error), -1);
    longest[BH_NAME_BYTES_MAX] = '\0';
    cr_assert_eq(name_check(longest, name, &error), 0);
}

Test(names, that_are_invented_are_allowed)
{
    struct bh_error error = {0};
    char name[BH_NAME_BYTES_MAX + 1], checked[BH_NAME_BYTES_MAX + 1];
    for (uint32_t random = 0; random < 20000; random += 7) {
        cr_assert_eq(name_check(name_invent(random, 0, name), checked, &error), 0, "%s", name);
    }
    cr_assert_eq(name_check(name_invent(UINT32_MAX, 3, name), checked, &error), 0);
    cr_assert_eq(name[strlen(name) - 1], '3');
}

Test(names, of_signals)
{
    struct bh_error error = {0};
    uint32_t number;
    static const struct {
        const char *text;
        uint32_t number;
    } good[] = {{"SIGKILL", 9},     {"kill", 9},     {"9", 9},      {"Term", 15},
                {"SIGRTMIN+3", 37}, {"RTMAX-1", 63}, {"RTMIN", 34}, {"64", 64}};
    static const char *const bad[] = {"",        "0",       "65",       "-9",     "SIG", "SIGX",
                                      "RTMIN-1", "RTMAX+1", "RTMIN+99", "RTMIN+", "9x",  "009"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(signal_parse(good[i].text, &number, &error), 0, "%s", good[i].text);
        cr_assert_eq(number, good[i].number);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(signal_parse(bad[i], &number, &error), -1, "\"%s\"", bad[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}

Test(names, prefixes_of_ids)
{
    uint8_t low[32], high[32], zero[32] = {0};
    char whole[65];
    cr_assert(resolve_prefix("abc", low, high));
    cr_assert_eq(low[0], 0xab);
    cr_assert_eq(low[1], 0xc0);
    cr_assert_eq(high[1], 0xcf);
    cr_assert_eq(low[31], 0);
    cr_assert_eq(high[31], 0xff);
    memset(whole, '0', 64);
    whole[64] = '\0';
    cr_assert(resolve_prefix(whole, low, high));
    cr_assert_arr_eq(low, zero, 32);
    cr_assert_arr_eq(high, zero, 32);
    cr_assert_not(resolve_prefix("", low, high));
    cr_assert_not(resolve_prefix("ABC", low, high));
    cr_assert_not(resolve_prefix("xyz", low, high));
    cr_assert_not(resolve_prefix("00000000000000000000000000000000000000000000000000000000000000000", low, high));
}

Test(names, whole_references)
{
    struct bh_error error = {0};
    struct bh_reference reference;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    cr_assert_eq(resolve_reference("busybox", &reference, name, &error), 0);
    cr_assert_str_eq(name, "docker.io/library/busybox:latest");
    cr_assert_eq(resolve_reference("127.0.0.1:5000/a/b:1", &reference, name, &error), 0);
    cr_assert_str_eq(name, "127.0.0.1:5000/a/b:1");
    cr_assert_eq(resolve_reference("busybox:1@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                                   &reference, name, &error),
                 0);
    cr_assert_str_eq(
        name, "docker.io/library/busybox@sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "the digest decides");
    cr_assert_eq(resolve_reference("Bad", &reference, name, &error), -1);
}
