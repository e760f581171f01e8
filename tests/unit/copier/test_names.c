/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: what Docker's clients and scripts rely on, to the letter, and what must never lead out.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "names.h"

static const struct {
    const char *path, *text, *parent, *base, *name;
    bool follow;
} asked[] = {
    {"/etc", "/etc", "/", "etc", "etc", false},
    {"etc", "/etc", "/", "etc", "etc", false},
    {"/etc/", "/etc", "/", "etc", "etc", true},
    {"/etc/.", "/etc", "/", "etc", ".", true},
    {"/a//b/./c", "/a/b/c", "/a/b", "c", "c", false},
    {"/a/../b", "/b", "/", "b", "b", false},
    {"/../../x", "/x", "/", "x", "x", false},
    {"/", "/", "/", "", "/", false},
    {"/.", "/", "/", "", ".", false},
    {".", "/", "/", "", ".", false},
    {"/a/..", "/", "/", "", "/", false},
    {"/a/b/..", "/a", "/", "a", "a", false},
    {"/a/...", "/a/...", "/a", "...", "...", false},
};

Test(names, paths_are_read_as_docker_reads_them)
{
    bh_autofree struct asked_path *path = calloc(1, sizeof(*path));
    struct bh_error error;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        cr_assert_eq(asked_path_parse(asked[i].path, path, &error), 0);
        cr_expect_str_eq(path->text, asked[i].text, "%s", asked[i].path);
        cr_expect_str_eq(path->parent, asked[i].parent, "%s", asked[i].path);
        cr_expect_str_eq(path->base, asked[i].base, "%s", asked[i].path);
        cr_expect_str_eq(path->name, asked[i].name, "%s", asked[i].path);
        cr_expect_eq(path->follow, asked[i].follow, "%s", asked[i].path);
    }
}

static void expect_entry(const char *path, const char *below, bool is_folder, const char *expected)
{
    bh_autofree struct asked_path *parsed = calloc(1, sizeof(*parsed));
    char name[256];
    struct bh_error error;
    cr_assert_eq(asked_path_parse(path, parsed, &error), 0);
    cr_assert_eq(entry_name(parsed, below, is_folder, name, sizeof(name), &error), 0);
    cr_expect_str_eq(name, expected, "%s of %s", below, path);
}

Test(names, entries_are_called_after_what_was_asked_for)
{
    expect_entry("/etc", "", true, "etc/");
    expect_entry("/etc", "passwd", false, "etc/passwd");
    expect_entry("/etc/", "ssl", true, "etc/ssl/");
    expect_entry("/etc/.", "", true, "./");
    expect_entry("/etc/.", "ssl/certs", false, "./ssl/certs");
    expect_entry("/", "", true, "/");
    expect_entry("/", "bin", true, "/bin/");
    expect_entry("/a/b/file", "", false, "file");
}

Test(names, entries_that_are_too_long_are_refused)
{
    bh_autofree struct asked_path *path = calloc(1, sizeof(*path));
    char name[16];
    struct bh_error error;
    cr_assert_eq(asked_path_parse("/etc", path, &error), 0);
    cr_expect_eq(entry_name(path, "0123456789", true, name, sizeof(name), &error), 0); /* "etc/0123456789/" */
    cr_expect_eq(entry_name(path, "0123456789a", true, name, sizeof(name), &error), -1);
    cr_expect_eq(error.code, BH_RESOURCE_EXHAUSTED);
}

static void expect_unpacked(const char *name, const char *expected)
{
    char path[BH_PATH_BYTES_MAX + 1];
    struct bh_error error;
    int result = unpacked_path(name, path, &error);
    cr_expect_eq(result, expected ? 0 : -1, "%s", name);
    if (result == 0 && expected) {
        cr_expect_str_eq(path, expected, "%s", name);
    }
}

Test(names, an_archives_names_stay_below)
{
    expect_unpacked("a", "a");
    expect_unpacked("./a/", "a");
    expect_unpacked("/a/b", "a/b");
    expect_unpacked("a/../b", "b");
    expect_unpacked("a/b/../../c", "c");
    expect_unpacked("", "");
    expect_unpacked("./", "");
    expect_unpacked("/", "");
    expect_unpacked("..", NULL);
    expect_unpacked("../a", NULL);
    expect_unpacked("a/../../b", NULL);
    expect_unpacked("/../a", NULL);
}

Test(names, long_names_are_refused)
{
    static char name[BH_PATH_BYTES_MAX + 100], path[BH_PATH_BYTES_MAX + 1];
    struct bh_error error;
    memset(name, 'a', 256);
    cr_expect_eq(unpacked_path(name, path, &error), -1, "a component of 256 bytes");
    name[255] = '\0';
    cr_expect_eq(unpacked_path(name, path, &error), 0, "one of 255");
    for (size_t i = 0; i + 1 < sizeof(name); i++) {
        name[i] = i % 2 ? '/' : 'a';
    }
    name[sizeof(name) - 1] = '\0';
    cr_expect_eq(unpacked_path(name, path, &error), -1, "a path that is too long");
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(names, paths_are_split)
{
    char parent[BH_PATH_BYTES_MAX + 1];
    cr_expect_str_eq(split_path("a/b/c", parent), "c");
    cr_expect_str_eq(parent, "a/b");
    cr_expect_str_eq(split_path("c", parent), "c");
    cr_expect_str_eq(parent, ".");
}
