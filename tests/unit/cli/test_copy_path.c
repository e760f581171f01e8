/* SPDX-License-Identifier: Apache-2.0
 *
 * cp's rules of names: Docker's for the user's own, and none that leads out of the target for an archive's.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "copy_path.h"

static struct bh_error error;

Test(copy_path, which_side_is_a_container)
{
    static const struct {
        const char *argument, *container, *path;
    } rows[] = {
        {"web:/etc", "web", "/etc"}, {"web:", "web", ""},      {"/a:b", NULL, "/a:b"},
        {"./a:b", NULL, "./a:b"},    {"plain", NULL, "plain"}, {"web:a:b", "web", "a:b"},
        {":a", NULL, ":a"},          {"-", NULL, "-"},         {"../x:y", NULL, "../x:y"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bh_autofree char *container = NULL;
        const char *path = NULL;
        cr_assert_eq(copy_path_split(rows[i].argument, &container, &path, &error), 0);
        cr_expect_str_eq(container ? container : "", rows[i].container ? rows[i].container : "", "%s",
                         rows[i].argument);
        cr_expect_str_eq(path, rows[i].path);
    }
}

Test(copy_path, folder_and_last_element)
{
    static const struct {
        const char *path, *folder, *base;
    } rows[] = {
        {"/a/b", "/a", "b"},
        {"/a/b/", "/a", "b"},
        {"/a/b/.", "/a/b", "."},
        {"/a/./b", "/a", "b"},
        {"/a//b/../c", "/a", "c"},
        {"a", ".", "a"},
        {"/", "/", "/"},
        {"/a", "/", "a"},
        {"/../a", "/", "a"},
        {".", ".", "."},
        {"./", ".", "."},
        {"../a", "..", "a"},
        {"a/..", ".", "."},
        {"a/b/../..", ".", "."},
        {"..", ".", ".."},
        {"../..", "..", ".."},
        {"", ".", "."},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bh_autofree char *folder = NULL, *base = NULL;
        cr_assert_eq(copy_path_parts(rows[i].path, &folder, &base, &error), 0);
        cr_expect_str_eq(folder, rows[i].folder, "folder of %s is %s", rows[i].path, folder);
        cr_expect_str_eq(base, rows[i].base, "base of %s is %s", rows[i].path, base);
    }
}

Test(copy_path, plans)
{
    static const struct {
        struct copy_end source, target;
        const char *folder, *name; /* folder NULL: refused */
    } rows[] = {
        {{"/s/a", true, true}, {"/t", true, true}, "/t", NULL},        /* into a folder */
        {{"/s/a", true, false}, {"/t/", true, true}, "/t/", NULL},     /* the same with a file */
        {{"/s/a", true, true}, {"/t/f", true, false}, NULL, NULL},     /* a folder onto a file */
        {{"/s/a", true, false}, {"/t/f", true, false}, "/t", "f"},     /* a file onto a file */
        {{"/s/a", true, true}, {"/t/new", false, false}, "/t", "new"}, /* a folder under a new name */
        {{"/s/a", true, true}, {"/t/new/", false, false}, "/t", "new"},
        {{"/s/a", true, false}, {"/t/new", false, false}, "/t", "new"},
        {{"/s/a", true, false}, {"/t/new/", false, false}, NULL, NULL}, /* a file into a folder that is not there */
        {{"/s/a", true, false}, {"new", false, false}, ".", "new"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        bh_cleanup(copy_plan_free) struct copy_plan plan = {0};
        int result = copy_plan_make(&rows[i].source, &rows[i].target, &plan, &error);
        cr_assert_eq(result, rows[i].folder ? 0 : -1, "row %zu", i);
        if (rows[i].folder) {
            cr_expect_str_eq(plan.folder, rows[i].folder);
            cr_expect_str_eq(plan.name ? plan.name : "", rows[i].name ? rows[i].name : "");
        }
    }
}

Test(copy_path, entries_have_their_place)
{
    static const struct {
        const char *name, *base, *entry, *place; /* place NULL: refused */
    } rows[] = {
        {NULL, "etc", "etc/", "etc/"},
        {NULL, "etc", "etc/hosts", "etc/hosts"},
        {NULL, "etc", "./etc/hosts", "etc/hosts"},
        {NULL, "etc", "/etc/hosts", "etc/hosts"},
        {"new", "etc", "etc/hosts", "new/hosts"},
        {"new", "etc", "etc", "new"},
        {NULL, ".", "./", ""},
        {NULL, ".", "./a/b", "a/b"},
        {NULL, "/", "/a", "a"},
        {"new", ".", "./a", "new/a"},
        {"new", ".", "./", "new"},
        {NULL, "etc", "passwd", NULL},
        {NULL, "etc", "etcetera/x", NULL},
        {NULL, "etc", "et", NULL},
        {NULL, "etc", "", NULL},
        {NULL, "etc", "etc/../../x", NULL},
        {NULL, ".", "..", NULL},
        {NULL, ".", "a/..", NULL},
        {NULL, "/", "/../x", NULL},
        {"new", "f", "g", NULL},
        {NULL, ".", "..a/b..", "..a/b.."},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct copy_plan plan = {.folder = (char *)"/t", .name = (char *)rows[i].name};
        bh_autofree char *place = NULL;
        int result = copy_plan_place(&plan, rows[i].base, rows[i].entry, &place, &error);
        cr_expect_eq(result, rows[i].place ? 0 : -1, "entry %s", rows[i].entry);
        cr_expect_str_eq(place ? place : "", rows[i].place ? rows[i].place : "", "entry %s", rows[i].entry);
    }
}

Test(copy_path, links_are_read_from_where_they_lie)
{
    bh_autofree char *relative = NULL, *absolute = NULL;
    cr_assert_eq(copy_path_of_link("/a/link", "b/c", &relative, &error), 0);
    cr_expect_str_eq(relative, "/a/b/c");
    cr_assert_eq(copy_path_of_link("/a/link", "/b", &absolute, &error), 0);
    cr_expect_str_eq(absolute, "/b");
}
