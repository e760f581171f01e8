/* SPDX-License-Identifier: Apache-2.0
 *
 * See image.h.
 */
#include "image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "erofs_check.h"

#define must(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: %s (%s)\n", __FILE__, __LINE__, #condition, strerror(errno));                \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Runs a shell command whose words are all ours. */
static bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static bool run(const char *format, ...)
{
    char command[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    int status = system(command); /* NOLINT: a test, and no word from outside */
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool image_is_sound(int image_fd)
{
    struct erofs_summary summary;
    struct bh_error error = {0};
    char text[1024];
    if (erofs_check(image_fd, &summary, &error) < 0) {
        (void)fprintf(stderr, "the store refuses the image: %s\n", bh_error_format(&error, text, sizeof(text)));
        return false;
    }
    /* fsck.erofs 1.5 cannot read files beyond 2 GiB: it is asked to read contents only where there are none. */
    const char *how = summary.content_bytes < (1ULL << 31) ? "--extract" : "";
    return run("fsck.erofs %s /proc/%d/fd/%d >/dev/null 2>&1 || fsck.erofs %s /proc/%d/fd/%d", how, getpid(), image_fd,
               how, getpid(), image_fd);
}

void image_mount(int image_fd, struct mounted *ret_mounted)
{
    static bool unshared;
    if (!unshared) {
        must(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        unshared = true;
    }
    (void)snprintf(ret_mounted->folder, sizeof(ret_mounted->folder), "/tmp/bh-mount-XXXXXX");
    must(mkdtemp(ret_mounted->folder));
    char source[64]; /* straight from the file (Linux 6.12 and later), or through a loop device */
    (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", image_fd);
    must(mount(source, ret_mounted->folder, "erofs", MS_RDONLY, NULL) == 0 ||
         run("mount -t erofs -o ro,loop /proc/%d/fd/%d %s", getpid(), image_fd, ret_mounted->folder));
}

void image_unmount(struct mounted *mounted)
{
    must(umount(mounted->folder) == 0);
    must(rmdir(mounted->folder) == 0);
}

static const char *join(const struct mounted *mounted, const char *path, char whole[static PATH_MAX])
{
    (void)snprintf(whole, PATH_MAX, "%s/%s", mounted->folder, path);
    return whole;
}

bool image_stat(const struct mounted *mounted, const char *path, struct stat *ret_status)
{
    char whole[PATH_MAX];
    return lstat(join(mounted, path, whole), ret_status) == 0;
}

bool image_has(const struct mounted *mounted, const char *path)
{
    struct stat status;
    return image_stat(mounted, path, &status);
}

bool image_file_is(const struct mounted *mounted, const char *path, const char *text)
{
    char whole[PATH_MAX], content[4096];
    bh_autoclose int fd = open(join(mounted, path, whole), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, content, sizeof(content));
    return got == (ssize_t)strlen(text) && memcmp(content, text, (size_t)got) == 0;
}

bool image_link_is(const struct mounted *mounted, const char *path, const char *target)
{
    char whole[PATH_MAX], content[PATH_MAX];
    ssize_t got = readlink(join(mounted, path, whole), content, sizeof(content));
    return got == (ssize_t)strlen(target) && memcmp(content, target, (size_t)got) == 0;
}

bool image_is_whiteout(const struct mounted *mounted, const char *path)
{
    struct stat status;
    return image_stat(mounted, path, &status) && S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

long image_xattr(const struct mounted *mounted, const char *path, const char *name, void *value, unsigned long n_bytes)
{
    char whole[PATH_MAX];
    return lgetxattr(join(mounted, path, whole), name, value, n_bytes);
}

bool image_is_opaque(const struct mounted *mounted, const char *path)
{
    char value[8];
    return image_xattr(mounted, path, "trusted.overlay.opaque", value, sizeof(value)) == 1 && value[0] == 'y';
}

/* ---- comparing trees ---------------------------------------------------------------------------------- */

static bool differ(const char *path, const char *what)
{
    (void)fprintf(stderr, "%s: %s differs\n", path, what);
    return false;
}

static bool contents_are_equal(const char *a, const char *b)
{
    static char x[1 << 16], y[1 << 16];
    bh_autoclose int left = open(a, O_RDONLY | O_CLOEXEC);
    bh_autoclose int right = open(b, O_RDONLY | O_CLOEXEC);
    for (;;) {
        ssize_t n = read(left, x, sizeof(x)), m = read(right, y, sizeof(y));
        if (n < 0 || n != m || memcmp(x, y, (size_t)n) != 0) {
            return false;
        }
        if (n == 0) {
            return true;
        }
    }
}

static bool xattrs_are_equal(const char *a, const char *b)
{
    char names[4096], others[4096], x[4096], y[4096];
    ssize_t n = llistxattr(a, names, sizeof(names)), m = llistxattr(b, others, sizeof(others));
    if (n < 0 || n != m) {
        return false;
    }
    for (const char *name = names; name < names + n; name += strlen(name) + 1) {
        ssize_t i = lgetxattr(a, name, x, sizeof(x)), j = lgetxattr(b, name, y, sizeof(y));
        if (i < 0 || i != j || memcmp(x, y, (size_t)i) != 0) {
            return false;
        }
    }
    return true;
}

static bool nodes_are_equal(const char *a, const char *b)
{
    struct stat x, y;
    char target[PATH_MAX], other[PATH_MAX];
    if (lstat(a, &x) < 0 || lstat(b, &y) < 0) {
        return differ(b, "existence");
    }
    if (x.st_mode != y.st_mode || x.st_uid != y.st_uid || x.st_gid != y.st_gid || x.st_rdev != y.st_rdev) {
        return differ(b, "mode, owner or device");
    }
    if (x.st_mtim.tv_sec != y.st_mtim.tv_sec || x.st_mtim.tv_nsec != y.st_mtim.tv_nsec) {
        return differ(b, "time");
    }
    if (!S_ISDIR(x.st_mode) && (x.st_nlink != y.st_nlink || x.st_size != y.st_size)) {
        return differ(b, "link count or size");
    }
    if (!xattrs_are_equal(a, b)) {
        return differ(b, "an extended attribute");
    }
    if (S_ISLNK(x.st_mode)) {
        ssize_t n = readlink(a, target, sizeof(target)), m = readlink(b, other, sizeof(other));
        return n == m && memcmp(target, other, (size_t)n) == 0 ? true : differ(b, "target");
    }
    return !S_ISREG(x.st_mode) || contents_are_equal(a, b) ? true : differ(b, "content");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

bool trees_are_equal(const char *expected, const char *actual)
{
    struct dirent **left, **right;
    int n = scandir(expected, &left, no_dots, by_name), m = scandir(actual, &right, no_dots, by_name);
    must(n >= 0 && m >= 0);
    bool equal = n == m || differ(actual, "the number of names");
    for (int i = 0; i < n && equal; i++) {
        char a[PATH_MAX], b[PATH_MAX];
        (void)snprintf(a, sizeof(a), "%s/%s", expected, left[i]->d_name);
        (void)snprintf(b, sizeof(b), "%s/%s", actual, right[i]->d_name);
        equal = strcmp(left[i]->d_name, right[i]->d_name) == 0 ? nodes_are_equal(a, b) : differ(b, "a name");
        if (equal && left[i]->d_type == DT_DIR) {
            equal = trees_are_equal(a, b);
        }
    }
    for (int i = 0; i < n; i++) {
        free(left[i]);
    }
    for (int i = 0; i < m; i++) {
        free(right[i]);
    }
    free(left);
    free(right);
    return equal;
}
