/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing trees that a container made to be hard to remove.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "remove.h"

static char top[] = "/tmp/bh-remove-XXXXXX";
static int above = -1;
static struct bh_error error;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(top));
    above = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(above >= 0 && mkdirat(above, "tree", 0700) == 0);
}

static void tear_down(void)
{
    bh_close(&above);
    cr_expect_eq(rmdir(top), 0, "something was left in %s", top);
}

TestSuite(remove, .init = set_up, .fini = tear_down);

static void expect_gone(void)
{
    cr_expect_eq(remove_tree(above, "tree", &error), 0, "%s", error.message);
    cr_expect(faccessat(above, "tree", F_OK, 0) < 0 && errno == ENOENT);
}

Test(remove, absent_is_no_error)
{
    expect_gone();
    expect_gone();
}

Test(remove, links_are_removed_not_followed)
{
    bh_autoclose int canary = openat(above, "canary", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert(canary >= 0 && mkdirat(above, "outside", 0700) == 0 && symlinkat("../outside", above, "tree/link") == 0 &&
              symlinkat("../canary", above, "tree/file") == 0 && mknodat(above, "tree/fifo", S_IFIFO | 0600, 0) == 0);
    expect_gone();
    cr_expect_eq(unlinkat(above, "canary", 0), 0, "the canary is gone");
    cr_expect_eq(unlinkat(above, "outside", AT_REMOVEDIR), 0);
}

/* Deeper than PATH_MAX, the stack, and the number of descriptors. */
Test(remove, depth)
{
    int at = openat(above, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int depth = 0; depth < 6000; depth++) {
        cr_assert_eq(mkdirat(at, "d", 0700), 0);
        int next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bh_close(&at);
        at = next;
    }
    cr_assert_eq(symlinkat("/", at, "link"), 0);
    bh_close(&at);
    expect_gone();
}

Test(remove, breadth_and_names_like_our_own)
{
    static const char *const folders[] = {"tree/.removed-0",   "tree/.removed-1",   "tree/a",
                                          "tree/a/.removed-0", "tree/a/b",          "tree/a/b/c",
                                          "tree/.removed-0/x", "tree/.removed-1/y", "tree/.removed-0/x/z"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        cr_assert_eq(mkdirat(above, folders[i], 0700), 0);
    }
    for (int i = 0; i < 2000; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "tree/a/b/c/%d", i);
        cr_assert_eq(i % 2 ? mkdirat(above, name, 0700) : symlinkat("x", above, name), 0);
    }
    expect_gone();
}
