/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of archive entries as text: cleaned, or refused; whiteouts told apart.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "layer_path.h"

static void cleans_to(const char *name, const char *expected)
{
    struct layer_path path;
    struct bh_error error = {0};
    cr_assert_eq(layer_path_clean(name, &path, &error), 0, "%s: %s", name, error.message);
    cr_assert_str_eq(path.text, expected);
    cr_assert_eq(path.n_bytes, strlen(expected));
}

static void refuses(const char *name)
{
    struct layer_path path;
    struct bh_error error = {0};
    cr_assert_eq(layer_path_clean(name, &path, &error), -1, "%s", name);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(layer_path, names_are_cleaned_as_text)
{
    cleans_to("usr/bin/env", "usr/bin/env");
    cleans_to("./usr//bin/./env/", "usr/bin/env");
    cleans_to("/usr/bin", "usr/bin");
    cleans_to("a/../b", "b");
    cleans_to("a/b/../../c", "c");
    cleans_to("/../etc", "etc");
    cleans_to("./", "");
    cleans_to("", "");
    cleans_to("...", "...");
    cleans_to("a\nb\xff", "a\nb\xff");
}

Test(layer_path, names_that_lead_out_are_refused)
{
    refuses("..");
    refuses("../x");
    refuses("a/../../x");
    refuses("./../x");
}

Test(layer_path, lengths_are_those_of_linux)
{
    char name[5000];
    memset(name, 'a', sizeof(name));
    name[255] = '\0';
    cleans_to(name, name);
    name[255] = 'a';
    name[256] = '\0';
    refuses(name);
    for (size_t i = 0; i < sizeof(name); i++) {
        name[i] = i % 2 ? '/' : 'a';
    }
    name[4095] = '\0';
    cleans_to(name, name);
    memset(name + 4095, 'b', 2);
    name[4097] = '\0';
    refuses(name);
}

static void whiteout(const char *name, enum layer_whiteout kind, const char *hidden)
{
    struct layer_path path;
    struct bh_error error = {0};
    enum layer_whiteout found;
    cr_assert_eq(layer_path_clean(name, &path, &error), 0);
    cr_assert_eq(layer_path_whiteout(&path, &found, &error), 0, "%s: %s", name, error.message);
    cr_assert_eq(found, kind, "%s", name);
    if (hidden) {
        cr_assert_str_eq(path.text, hidden);
        cr_assert_eq(path.n_bytes, strlen(hidden));
    }
}

Test(layer_path, whiteouts_are_told_apart)
{
    whiteout("usr/x", LAYER_WHITEOUT_NONE, "usr/x");
    whiteout(".whx", LAYER_WHITEOUT_NONE, ".whx");
    whiteout("a/.wh.b", LAYER_WHITEOUT_FILE, "a/b");
    whiteout(".wh.b", LAYER_WHITEOUT_FILE, "b");
    whiteout(".wh....", LAYER_WHITEOUT_FILE, "...");
    whiteout("a/b/.wh..wh..opq", LAYER_WHITEOUT_OPAQUE, "a/b");
    whiteout(".wh..wh..opq", LAYER_WHITEOUT_OPAQUE, "");
    whiteout(".wh..wh.plnk/1.2", LAYER_WHITEOUT_IGNORED, NULL);
    whiteout(".wh..wh.aufs", LAYER_WHITEOUT_IGNORED, NULL);
}

Test(layer_path, whiteouts_of_nothing_are_refused)
{
    static const char *const names[] = {".wh.", "a/.wh..", "a/.wh...", ".wh..wh.other", "a/.wh.b/c"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct layer_path path;
        struct bh_error error = {0};
        enum layer_whiteout kind;
        cr_assert_eq(layer_path_clean(names[i], &path, &error), 0);
        cr_assert_eq(layer_path_whiteout(&path, &kind, &error), -1, "%s", names[i]);
        cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    }
}
