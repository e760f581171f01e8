/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of a layer's names: what replaces what, what is followed, what is counted.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "layer_tree.h"

static struct layer_tree *tree;
static struct bh_error error;

static void start(void)
{
    cr_assert_eq(layer_tree_new(&tree, &error), 0);
}

static void stop(void)
{
    layer_tree_free(&tree);
}

TestSuite(layer_tree, .init = start, .fini = stop);

static struct layer_path path_of(const char *name)
{
    struct layer_path path;
    cr_assert_eq(layer_path_clean(name, &path, &error), 0);
    return path;
}

static int put(const char *name, uint16_t mode, const char *target)
{
    struct layer_inode model = {.mode = mode, .target = target, .size = target ? strlen(target) : 0, .u = 1}, *inode;
    struct layer_path path = path_of(name);
    return layer_tree_put(tree, &path, &model, &inode, &error);
}

static int link_to(const char *name, const char *target)
{
    struct layer_path path = path_of(name), to = path_of(target);
    return layer_tree_link(tree, &path, &to, &error);
}

/* By plain descent, without following anything. */
static struct layer_inode *find(const char *name)
{
    struct layer_inode *at = layer_tree_root(tree);
    while (at && *name) {
        size_t n_bytes = strcspn(name, "/");
        struct layer_entry *child = at->first_child;
        while (child && (child->n_bytes != n_bytes || memcmp(child->name, name, n_bytes) != 0)) {
            child = child->next;
        }
        at = child ? child->inode : NULL;
        name += n_bytes + (name[n_bytes] == '/');
    }
    return at;
}

Test(layer_tree, replaced_directories_lose_what_they_held)
{
    cr_assert_eq(put("a/b/c", S_IFREG | 0644, NULL), 0);
    cr_assert_eq(link_to("keep", "a/b/c"), 0);
    cr_assert_eq(find("keep")->links, 2);
    cr_assert_eq(put("a", S_IFREG | 0600, NULL), 0);
    cr_assert_eq(find("keep")->links, 1);
    cr_assert_null(find("a/b"));
    cr_assert_eq(put("a/x", S_IFREG, NULL), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(layer_tree, links_are_followed_inside_only)
{
    cr_assert_eq(put("run", S_IFDIR | 0755, NULL), 0);
    cr_assert_eq(put("var/run", S_IFLNK | 0777, "/run"), 0);
    cr_assert_eq(put("var/run/x", S_IFREG | 0644, NULL), 0);
    cr_assert_not_null(find("run/x"));
    cr_assert_eq(put("up", S_IFLNK | 0777, "../../.."), 0);
    cr_assert_eq(put("up/top", S_IFREG | 0644, NULL), 0);
    cr_assert_not_null(find("top"));
    cr_assert_eq(put("var/up", S_IFLNK | 0777, "../run/../deep/er"), 0);
    cr_assert_eq(put("var/up/x", S_IFREG | 0644, NULL), 0);
    cr_assert_not_null(find("deep/er/x"));
}

Test(layer_tree, links_in_a_circle_end)
{
    cr_assert_eq(put("a", S_IFLNK | 0777, "b/c"), 0);
    cr_assert_eq(put("b", S_IFLNK | 0777, "a/d"), 0);
    cr_assert_eq(put("a/x", S_IFREG, NULL), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
}

Test(layer_tree, hard_links_need_something_that_can_be_linked)
{
    cr_assert_eq(link_to("a", "absent"), -1);
    cr_assert_eq(put("d", S_IFDIR | 0755, NULL), 0);
    cr_assert_eq(link_to("a", "d"), -1);
    cr_assert_eq(link_to("a", ""), -1);
    struct layer_path hidden = path_of("w");
    cr_assert_eq(layer_tree_hide(tree, &hidden, &error), 0);
    cr_assert_eq(link_to("a", "w"), -1);
    cr_assert_eq(put("f", S_IFREG, NULL), 0);
    cr_assert_eq(link_to("f", "f"), 0);
    cr_assert_eq(find("f")->links, 1);
}

Test(layer_tree, a_whiteout_hides_lower_layers_only)
{
    struct layer_path path = path_of("d");
    cr_assert_eq(layer_tree_hide(tree, &path, &error), 0);
    cr_assert(layer_inode_is_whiteout(find("d")));
    cr_assert_eq(put("d/x", S_IFREG, NULL), 0);
    cr_assert(S_ISDIR(find("d")->mode) && find("d")->entry->hides);
    path = path_of("d/x");
    cr_assert_eq(layer_tree_hide(tree, &path, &error), 0);
    cr_assert(S_ISREG(find("d/x")->mode));
}

Test(layer_tree, the_root_is_a_directory)
{
    cr_assert_eq(put(".", S_IFDIR | 0700, NULL), 0);
    cr_assert_eq(layer_tree_root(tree)->mode, S_IFDIR | 0700);
    cr_assert_eq(put("/", S_IFREG, NULL), -1);
}

Test(layer_tree, many_names_are_found_again)
{
    char name[32];
    for (int i = 0; i < 50000; i++) {
        (void)snprintf(name, sizeof(name), "d%d/f%d", i % 7, i);
        cr_assert_eq(put(name, S_IFREG, NULL), 0);
    }
    for (int i = 0; i < 50000; i++) {
        (void)snprintf(name, sizeof(name), "d%d/f%d", i % 7, i);
        cr_assert_eq(link_to("again", name), 0);
    }
    cr_assert_eq(find("again")->links, 2);
}
