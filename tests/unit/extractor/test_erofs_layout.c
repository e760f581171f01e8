/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk that is full at any byte of an image: the layout says so, whatever it was writing.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "erofs_layout.h"
#include "xattrs.h"

static struct bh_error error;

static void put(struct layer_tree *tree, const char *name, uint16_t mode, const char *target)
{
    struct layer_inode model = {.mode = mode, .target = target, .size = target ? strlen(target) : 0, .u = 1}, *inode;
    struct layer_path path;
    cr_assert_eq(layer_path_clean(name, &path, &error), 0);
    cr_assert_eq(layer_tree_put(tree, &path, &model, &inode, &error), 0);
}

/* Directories with blocks of their own and with tails, long and short links, a directory that hides what is below it.
 */
static struct layer_tree *make_tree(void)
{
    static char target[4081];
    struct layer_tree *tree = NULL;
    struct layer_path opaque;
    cr_assert_eq(layer_tree_new(&tree, &error), 0);
    memset(target, 't', sizeof(target) - 1);
    put(tree, "long", S_IFLNK | 0777, target);
    put(tree, "short", S_IFLNK | 0777, "elsewhere");
    for (int i = 0; i < 400; i++) {
        char name[64];
        (void)snprintf(name, sizeof(name), "folder/a-name-of-some-length-%04d", i);
        put(tree, name, S_IFDIR | 0755, NULL);
    }
    cr_assert_eq(layer_path_clean("folder", &opaque, &error), 0);
    cr_assert_eq(layer_tree_hide_all(tree, &opaque, &error), 0);
    return tree;
}

/* Returns what erofs_layout_write() does, with a file that may have `limit` bytes. */
static int write_within(rlim_t limit, struct erofs_summary *ret_summary)
{
    bh_autolayertree struct layer_tree *tree = make_tree();
    bh_autoclose int fd = memfd_create("image", MFD_CLOEXEC);
    bh_autoimage struct erofs_image image = {.fd = -1};
    struct rlimit before, within;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    within = (struct rlimit){.rlim_cur = limit, .rlim_max = before.rlim_max};
    error = (struct bh_error){0};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &within), 0);
    int result = erofs_image_open(fd, &image, &error);
    result = result < 0 ? result : erofs_layout_write(tree, &image, ret_summary, &error);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    return result;
}

Test(erofs_layout, a_disk_that_is_full_anywhere, .timeout = 60)
{
    struct erofs_summary whole = {0}, summary;
    (void)signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(write_within(RLIM_INFINITY, &whole), 0, "%s", error.message);
    cr_assert_gt(whole.image_bytes, 40000);
    cr_assert_eq(whole.inodes, 404);
    for (rlim_t limit = 0; limit < whole.image_bytes; limit += 1024) {
        cr_assert_eq(write_within(limit, &summary), -1, "with %zu of %zu bytes", (size_t)limit,
                     (size_t)whole.image_bytes);
        cr_assert_eq(error.sys_errno, EFBIG, "%s", error.message);
    }
    cr_assert_eq(write_within(whole.image_bytes, &summary), 0, "%s", error.message);
    cr_assert_eq(summary.image_bytes, whole.image_bytes);
}
