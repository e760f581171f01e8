/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing a container's layer with its image: Docker's rules, on three ordinary folders.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "compare.h"

static char folder[] = "/tmp/bh-compare-XXXXXX";
static char told[4096];

static void open_folders(void)
{
    cr_assert(mkdtemp(folder));
    static const char *const names[] = {"upper", "lower", "merged"};
    for (size_t i = 0; i < 3; i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        cr_assert_eq(mkdir(path, 0755), 0);
    }
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *position)
{
    (void)status;
    (void)kind;
    (void)position;
    return remove(path);
}

static void close_folders(void)
{
    (void)nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *at(const char *tree, const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, tree, name);
    return path;
}

static void make_folder(const char *tree, const char *name)
{
    cr_assert_eq(mkdir(at(tree, name), 0755), 0);
}

static void make_file(const char *tree, const char *name, const char *text)
{
    const struct timespec times[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    bh_autoclose int fd = open(at(tree, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && futimens(fd, times) == 0);
}

static int tell(void *argument, const struct change *change, struct bh_error *error)
{
    (void)argument;
    (void)error;
    size_t used = strlen(told);
    (void)snprintf(told + used, sizeof(told) - used, "%c %s\n", "?CAD"[change->kind], change -> path);
    return 0;
}

static const char *compare(void)
{
    struct copier copier = {.view = BH_COPIER_UPPER,
                            .root = open(at("merged", ""), O_PATH | O_DIRECTORY | O_CLOEXEC),
                            .upper = open(at("upper", ""), O_PATH | O_DIRECTORY | O_CLOEXEC),
                            .lower = open(at("lower", ""), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    struct bh_error error = {0};
    told[0] = '\0';
    cr_assert_eq(compare_layer(&copier, tell, NULL, &error), 0, "%s", error.message);
    bh_close(&copier.root);
    bh_close(&copier.upper);
    bh_close(&copier.lower);
    return told;
}

TestSuite(compare, .init = open_folders, .fini = close_folders);

Test(compare, nothing_changed)
{
    make_file("lower", "file", "x");
    make_file("merged", "file", "x");
    cr_expect_str_eq(compare(), "");
}

Test(compare, a_folder_comes_before_what_changed_in_it)
{
    make_folder("lower", "etc");
    make_folder("lower", "etc/deep");
    make_folder("upper", "etc");
    make_folder("upper", "etc/deep");
    make_file("upper", "etc/deep/new", "x");
    make_folder("merged", "etc");
    make_folder("merged", "etc/deep");
    cr_expect_str_eq(compare(), "C etc\nC etc/deep\nA etc/deep/new\n");
}

Test(compare, a_folder_that_was_only_copied_up_is_no_change)
{
    make_folder("lower", "etc");
    make_file("lower", "etc/passwd", "x");
    make_folder("upper", "etc");
    make_file("upper", "etc/passwd", "x"); /* same time, size, mode */
    make_folder("merged", "etc");
    cr_expect_str_eq(compare(), "");
    make_file("upper", "etc/passwd", "longer");
    cr_expect_str_eq(compare(), "C etc\nC etc/passwd\n");
}

Test(compare, added_folders_and_all_in_them)
{
    make_folder("upper", "a");
    make_folder("upper", "a/b");
    make_file("upper", "a/b/c", "");
    cr_expect_str_eq(compare(), "A a\nA a/b\nA a/b/c\n");
}

Test(compare, a_folder_in_a_files_place)
{
    make_file("lower", "thing", "x");
    make_folder("upper", "thing");
    make_file("upper", "thing/in", "x");
    cr_expect_str_eq(compare(), "C thing\nA thing/in\n");
}

Test(compare, a_folder_that_hides_the_images)
{
    make_folder("lower", "usr");
    make_file("lower", "usr/one", "1");
    make_file("lower", "usr/two", "2");
    make_folder("upper", "usr");
    make_folder("merged", "usr");
    cr_expect_str_eq(compare(), "C usr\nD usr/one\nD usr/two\n", "nothing of it is seen");
    make_file("merged", "usr/one", "1");
    make_file("merged", "usr/two", "2");
    cr_expect_str_eq(compare(), "", "it shines through");
}

Test(compare, mount_points_are_no_change_unless_something_is_in_them)
{
    make_folder("upper", "dev");
    make_folder("upper", "dev/pts");
    make_folder("upper", "etc");
    make_file("upper", "etc/hosts", "");
    cr_expect_str_eq(compare(), "A etc\n", "the image had no etc");
    make_file("upper", "etc/hosts", "127.0.0.1 x\n");
    make_file("upper", "dev/mine", "x");
    cr_expect_str_eq(compare(), "C dev\nA dev/mine\nA etc\nA etc/hosts\n");
}

Test(compare, whiteouts_are_deletions)
{
    if (mknod(at("upper", "gone"), S_IFCHR | 0600, makedev(0, 0)) < 0) {
        return; /* without root there is none to make: the system test has them */
    }
    cr_expect_str_eq(compare(), "", "of what never was");
    make_file("lower", "gone", "x");
    cr_expect_str_eq(compare(), "D gone\n");
}

Test(compare, sameness)
{
    struct stat a = {.st_mode = S_IFREG | 0644, .st_size = 3, .st_mtim = {.tv_sec = 5, .tv_nsec = 7}}, b = a;
    cr_expect(compare_same(&a, &b));
    b.st_mtim.tv_nsec = 0; /* an archive's times have whole seconds */
    cr_expect(compare_same(&a, &b));
    b.st_mtim.tv_nsec = 8;
    cr_expect_not(compare_same(&a, &b));
    b = a;
    b.st_uid = 1;
    cr_expect_not(compare_same(&a, &b));
    a.st_mode = b.st_mode = S_IFDIR | 0755;
    b.st_uid = 0;
    b.st_mtim.tv_sec = 99; /* what happened in a folder is told by what is in it */
    cr_expect(compare_same(&a, &b));
}
