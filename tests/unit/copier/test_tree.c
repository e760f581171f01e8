/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and walking a hostile tree: links, FIFOs, order, depth.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "hard_links.h"
#include "tree.h"

static char folder[] = "/tmp/bh-tree-XXXXXX";
static int root;
static char visited[4096];

static void open_folder(void)
{
    cr_assert(mkdtemp(folder));
    root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert(root >= 0 && mkdirat(root, "etc", 0755) == 0);
    bh_autoclose int fd = openat(root, "etc/passwd", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert(fd >= 0 && write(fd, "inner", 5) == 5);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

static void close_folder(void)
{
    bh_close(&root);
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(tree, .init = open_folder, .fini = close_folder);

static void expect_inner(const char *path)
{
    char text[6] = "";
    bh_autoclose int fd = tree_open(root, path, O_RDONLY);
    cr_assert(fd >= 0, "%s: %s", path, strerror(errno));
    cr_expect(read(fd, text, 5) == 5 && strcmp(text, "inner") == 0, "%s is another file", path);
}

Test(tree, links_stay_inside)
{
    cr_assert_eq(symlinkat("/etc/passwd", root, "absolute"), 0);
    cr_assert_eq(symlinkat("../../../../../../etc/passwd", root, "up"), 0);
    cr_assert_eq(symlinkat("/etc", root, "folder"), 0);
    expect_inner("/absolute");
    expect_inner("/up");
    expect_inner("/folder/passwd");
    expect_inner("/../../etc/passwd");
    cr_assert_eq(tree_open_name(root, "absolute", O_RDONLY), -1);
    cr_expect_eq(errno, ELOOP);
}

Test(tree, nothing_blocks)
{
    struct stat status;
    cr_assert_eq(mkfifoat(root, "fifo", 0600), 0);
    cr_expect_eq(tree_open_file(root, "fifo", &status), -1);
    cr_expect_eq(errno, EINVAL);
    cr_expect_eq(tree_open_file(root, "etc", &status), -1);
}

static void expect_followed(const char *path, const char *expected)
{
    char buffer[BH_PATH_BYTES_MAX + 1];
    struct bh_error error;
    int result = tree_follow(root, path, buffer, sizeof(buffer), &error);
    cr_expect_eq(result, expected ? 0 : -1, "%s", path);
    if (result == 0 && expected) {
        cr_expect_str_eq(buffer, expected, "%s", path);
    }
}

Test(tree, where_links_lead_is_told_without_going_there)
{
    cr_assert_eq(symlinkat("/etc/./passwd", root, "a"), 0);
    cr_assert_eq(symlinkat("a", root, "b"), 0);
    cr_assert_eq(symlinkat("../../../gone/for/ever", root, "dangling"), 0);
    cr_assert_eq(symlinkat("loop", root, "loop"), 0);
    expect_followed("/a", "/etc/passwd");
    expect_followed("/b", "/etc/passwd");
    expect_followed("/dangling", "/gone/for/ever");
    expect_followed("/etc/passwd", "/etc/passwd");
    expect_followed("/loop", NULL);
}

Test(tree, links_with_steps_up_and_without_end)
{
    char long_name[2 * BH_PATH_BYTES_MAX], long_path[BH_PATH_BYTES_MAX + 200], text[64];
    struct bh_error error = {0};
    cr_assert_eq(symlinkat("../etc/../etc/./passwd", root, "up"), 0);
    expect_followed("/up", "/etc/passwd");
    expect_followed("/../..", "/");
    expect_followed("/nothing/../etc", "/etc");
    memset(long_name, 'n', sizeof(long_name) - 1);
    long_name[0] = '/';
    long_name[BH_PATH_BYTES_MAX + 5] = '\0';
    cr_expect_eq(tree_follow(root, long_name, text, sizeof(text), &error), -1);
    cr_expect(strstr(error.message, "too long"), "%s", error.message);
    for (size_t i = 0; i < sizeof(long_path) - 1; i++) {
        long_path[i] = i % 2 ? 'd' : '/';
    }
    long_path[sizeof(long_path) - 1] = '\0';
    cr_expect_eq(tree_follow(root, long_path, text, sizeof(text), &error), -1);
    cr_expect(strstr(error.message, "a path of more than"), "%s", error.message);
}

static enum walk_step visit(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    (void)argument;
    (void)error;
    size_t used = strlen(visited);
    (void)snprintf(visited + used, sizeof(visited) - used, "%s ", entry->path);
    return strcmp(entry->name, "skipped") == 0 ? WALK_SKIP : WALK_ON;
}

static int left(void *argument, int parent, const char *name, struct bh_error *error)
{
    (void)argument;
    (void)parent;
    (void)error;
    size_t used = strlen(visited);
    (void)snprintf(visited + used, sizeof(visited) - used, "<%s ", name);
    return 0;
}

Test(tree, walks_in_order_and_follows_no_link)
{
    const struct walk walk = {.visit = visit, .leave = left};
    struct bh_error error = {0};
    visited[0] = '\0';
    cr_assert_eq(mkdirat(root, "z", 0755), 0);
    cr_assert_eq(mkdirat(root, "z/skipped", 0755), 0);
    cr_assert_eq(mkdirat(root, "z/skipped/in", 0755), 0);
    cr_assert_eq(symlinkat("/", root, "link"), 0);
    cr_assert_eq(walk_tree(root, &walk, &error), 0, "%s", error.message);
    cr_expect_str_eq(visited, "etc etc/passwd <etc link z z/skipped <z ");
}

/* Which name makes the visitor do what: a hostile container's timing, exactly. */
static enum walk_step visit_and_change(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    if (strcmp(entry->path, "a") == 0) { /* what comes next in the list is gone */
        cr_assert_eq(unlinkat(root, "b", 0), 0);
    } else if (strcmp(entry->path, "folder") == 0) { /* a link is there before it is entered */
        cr_assert_eq(unlinkat(root, "folder", AT_REMOVEDIR), 0);
        cr_assert_eq(symlinkat("/etc", root, "folder"), 0);
    } else if (strcmp(entry->path, "vanishes") == 0) {
        cr_assert_eq(unlinkat(root, "vanishes", AT_REMOVEDIR), 0);
    }
    return visit(argument, entry, error);
}

Test(tree, what_changes_during_a_walk_leads_nowhere)
{
    const struct walk walk = {.visit = visit_and_change};
    struct bh_error error = {0};
    visited[0] = '\0';
    bh_autoclose int a = openat(root, "a", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    bh_autoclose int b = openat(root, "b", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert(a >= 0 && b >= 0 && mkdirat(root, "folder", 0755) == 0 && mkdirat(root, "vanishes", 0755) == 0);
    cr_assert_eq(walk_tree(root, &walk, &error), 0, "%s", error.message);
    cr_expect_str_eq(visited, "a etc etc/passwd folder vanishes ");
    cr_expect_eq(walk_tree(a, &walk, &error), -1, "a file is no folder");
    cr_expect_eq(error.sys_errno, ENOTDIR, "%s", error.message);
    struct name_list names;
    cr_expect_eq(names_read(a, &names, &error), -1);
    cr_expect_eq(error.sys_errno, ENOTDIR, "%s", error.message);
}

static enum walk_step visit_and_fail(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    (void)argument;
    (void)entry;
    bh_error_set(error, BH_DATA_LOSS, "enough");
    return WALK_FAILED;
}
static int leave_and_fail(void *argument, int parent, const char *name, struct bh_error *error)
{
    (void)argument;
    (void)parent;
    return bh_error_set(error, BH_DATA_LOSS, "left %s", name);
}

Test(tree, a_visitor_that_fails_ends_the_walk)
{
    struct bh_error error = {0};
    cr_expect_eq(walk_tree(root, &(struct walk){.visit = visit_and_fail}, &error), -1);
    cr_expect_str_eq(error.message, "enough");
    visited[0] = '\0';
    cr_expect_eq(walk_tree(root, &(struct walk){.visit = visit, .leave = leave_and_fail}, &error), -1);
    cr_expect_str_eq(error.message, "left etc");
}

Test(tree, what_the_kernel_mounts_is_seen_and_not_entered)
{
    struct bh_error error = {0};
    visited[0] = '\0';
    cr_assert_eq(unshare(CLONE_NEWNS), 0);
    cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    cr_assert_eq(chdir(folder), 0);
    bh_autoclose int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC); /* in this namespace */
    const struct walk walk = {.visit = visit, .skip_mounts_of_kernel = true, .root = here};
    cr_assert(mkdir("proc", 0755) == 0 && mkdir("dev", 0755) == 0 && mkdir("data", 0755) == 0);
    cr_assert_eq(mount("/proc", "proc", NULL, MS_BIND, NULL), 0);
    cr_assert_eq(mount("devices", "dev", "tmpfs", 0, NULL), 0);
    cr_assert_eq(mount("content", "data", "tmpfs", 0, NULL), 0);
    cr_assert(mkdir("dev/inside", 0755) == 0 && mkdir("data/inside", 0755) == 0);
    int walked = walk_tree(here, &walk, &error);
    bh_autoclose int proc = open("proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_expect(tree_is_kernels(proc));
    cr_expect_not(tree_is_kernels(root));
    cr_expect_not(tree_is_kernels(-1));
    cr_assert_eq(umount2("proc", MNT_DETACH) | umount2("dev", MNT_DETACH) | umount2("data", MNT_DETACH), 0);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(walked, 0, "%s", error.message);
    cr_expect_str_eq(visited, "data data/inside dev etc etc/passwd proc ");
}

Test(tree, paths_beyond_linux_own_limit_are_refused)
{
    const struct walk walk = {.visit = visit};
    struct bh_error error = {0};
    char name[200];
    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    bh_autoclose int at = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 25; i++) {
        cr_assert_eq(mkdirat(at, name, 0755), 0);
        int below = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        bh_close(&at);
        at = below;
    }
    visited[0] = '\0';
    cr_expect_eq(walk_tree(root, &walk, &error), -1);
    cr_expect_eq(error.code, BH_RESOURCE_EXHAUSTED);
    cr_assert_eq(fchdir(root), 0);
    for (int depth = 24; depth >= 0; depth--) { /* nftw() cannot either */
        for (int i = 0; i < depth; i++) {
            cr_assert_eq(chdir(name), 0);
        }
        cr_assert_eq(rmdir(name), 0);
        cr_assert_eq(fchdir(root), 0);
    }
    cr_assert_eq(chdir("/"), 0);
}

Test(hard_links, are_met_once)
{
    struct hard_links links = {0};
    bool failed = false;
    for (uint64_t inode = 1; inode <= 1000; inode++) {
        const struct stat status = {.st_dev = inode % 3, .st_ino = inode};
        char name[16];
        (void)snprintf(name, sizeof(name), "%d", (int)inode);
        cr_expect_null(hard_links_meet(&links, &status, name, &failed));
        cr_expect_not(failed);
    }
    const struct stat again = {.st_dev = 500 % 3, .st_ino = 500}, other = {.st_dev = 7, .st_ino = 500};
    cr_expect_str_eq(hard_links_meet(&links, &again, "again", &failed), "500");
    cr_expect_null(hard_links_meet(&links, &other, "other", &failed), "the same number on another device");
    hard_links_free(&links);
}
