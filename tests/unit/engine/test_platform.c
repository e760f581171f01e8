/* SPDX-License-Identifier: Apache-2.0
 *
 * Choice of platform.
 */
#include <criterion/criterion.h>

#include "services/engine/platform.h"

#define TEXT(text) ((char *)(uintptr_t)(text))

static Bulkhead__Platform platform(const char *os, const char *architecture, const char *variant)
{
    Bulkhead__Platform made = BULKHEAD__PLATFORM__INIT;
    made.os = TEXT(os);
    made.architecture = TEXT(architecture);
    made.variant = TEXT(variant);
    return made;
}

static int fit(Bulkhead__Platform wanted, Bulkhead__Platform offered)
{
    return platform_fit(&wanted, &offered);
}

Test(platform, fits)
{
    cr_assert_gt(fit(platform("linux", "amd64", ""), platform("linux", "amd64", "")), 0);
    cr_assert_gt(fit(platform("linux", "amd64", ""), platform("linux", "x86_64", "v1")), 0);
    cr_assert_eq(fit(platform("linux", "amd64", ""), platform("linux", "amd64", "v3")), 0);
    cr_assert_eq(fit(platform("linux", "amd64", ""), platform("windows", "amd64", "")), 0);
    cr_assert_eq(fit(platform("linux", "amd64", ""), platform("linux", "arm64", "v8")), 0);
    cr_assert_gt(fit(platform("linux", "arm64", "v8"), platform("linux", "arm64", "")), 0);
    cr_assert_gt(fit(platform("linux", "aarch64", ""), platform("linux", "arm64", "v8")), 0);
    cr_assert_gt(fit(platform("linux", "arm", "v7"), platform("linux", "arm", "v6")), 0);
    cr_assert_gt(fit(platform("linux", "arm", "v7"), platform("linux", "arm", "v7")),
                 fit(platform("linux", "arm", "v7"), platform("linux", "arm", "v6")));
    cr_assert_eq(fit(platform("linux", "arm", "v6"), platform("linux", "arm", "v7")), 0);
}

Test(platform, the_best_entry_is_chosen)
{
    Bulkhead__Platform platforms[] = {platform("linux", "amd64", ""), platform("linux", "arm", "v5"),
                                      platform("linux", "arm", "v6"), platform("unknown", "unknown", "")};
    Bulkhead__IndexEntry entries[5], *pointers[5];
    const Bulkhead__IndexEntry *chosen = NULL;
    struct bh_error error = {0};
    for (int i = 0; i < 5; i++) {
        bulkhead__index_entry__init(&entries[i]);
        entries[i].platform = i < 4 ? &platforms[i] : NULL; /* an entry may say nothing */
        pointers[i] = &entries[i];
    }
    Bulkhead__Platform wanted = platform("linux", "arm", "v7");
    cr_assert_eq(platform_choose(&wanted, pointers, 5, &chosen, &error), 0);
    cr_assert_eq(chosen, &entries[2]);
    wanted = platform("linux", "arm64", "v8");
    cr_assert_eq(platform_choose(&wanted, pointers, 5, &chosen, &error), -1);
    cr_assert_eq(error.code, BH_NOT_FOUND);
    cr_assert_str_eq(error.message, "no matching manifest for linux/arm64/v8 in the manifest list entries");
    cr_assert_eq(platform_choose(&wanted, pointers, 0, &chosen, &error), -1);
}

Test(platform, is_read_as_clients_write_it)
{
    struct bh_error error = {0};
    char buffer[PLATFORM_TEXT_SIZE], text[PLATFORM_TEXT_SIZE];
    Bulkhead__Platform parsed;
    cr_assert_eq(platform_parse("linux/arm/v7", buffer, &parsed, &error), 0);
    cr_assert_str_eq(platform_format(&parsed, text), "linux/arm/v7");
    cr_assert_eq(platform_parse("arm64", buffer, &parsed, &error), 0);
    cr_assert_str_eq(platform_format(&parsed, text), "linux/arm64");
    cr_assert_eq(platform_parse("linux", buffer, &parsed, &error), 0);
    cr_assert_str_eq(parsed.architecture, platform_host.architecture);
    static const char *const bad[] = {"", "/", "linux/", "/amd64", "a/b/c/d", "linux/amd 64", "linux/\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(platform_parse(bad[i], buffer, &parsed, &error), -1, "\"%s\"", bad[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}
