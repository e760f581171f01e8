/* SPDX-License-Identifier: Apache-2.0
 *
 * The sizes of files below a folder; see tree_size.h.
 */
#include "tree_size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define DEPTH_MAX   256 /* folders in each other; each holds a descriptor open */
#define CPU_SECONDS 60  /* a tree that takes longer is not measured */

/* Only two descriptors stay, and no right on anything outside the tenant's ids. */
static int leave(int userns, int folder, int keep, struct bh_error *error)
{
    const struct rlimit cpu = {CPU_SECONDS, CPU_SECONDS}, none = {0, 0};
    int low = folder < keep ? folder : keep, high = folder < keep ? keep : folder;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setns(userns, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0 ||
        setresuid(0, 0, 0) < 0 || unshare(CLONE_NEWNET | CLONE_NEWIPC) < 0 || setrlimit(RLIMIT_CPU, &cpu) < 0 ||
        setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_NPROC, &none) < 0) {
        return bh_error_errno(error, errno, "become the tenant's to measure a folder");
    }
    return (low > 0 && close_range(0, (unsigned int)low - 1, 0) < 0) ||
                   (high > low + 1 && close_range((unsigned int)low + 1, (unsigned int)high - 1, 0) < 0) ||
                   close_range((unsigned int)high + 1, ~0U, 0) < 0
               ? bh_error_errno(error, errno, "let go of everything to measure a folder")
               : 0;
}

struct level {
    DIR *folder;
};

static int enter(struct level *levels, size_t *depth, int above, const char *name, struct bh_error *error)
{
    if (*depth == DEPTH_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "folders lie more than %d deep in each other", DEPTH_MAX);
    }
    int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    levels[*depth].folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!levels[*depth].folder) {
        int failed = errno;
        bh_close(&fd);
        /* It has just gone or become something else: the tree is in use. */
        return failed == ENOENT || failed == ENOTDIR || failed == ELOOP
                   ? 0
                   : bh_error_errno(error, failed, "open a folder to measure it");
    }
    (*depth)++;
    return 0;
}

static void count(const struct stat *status, uint64_t *bytes)
{
    if (S_ISREG(status->st_mode)) {
        *bytes += (uint64_t)status->st_size / (uint64_t)(status->st_nlink > 0 ? status->st_nlink : 1);
    }
}

static int walk(struct level *levels, int folder, uint64_t *bytes, struct bh_error *error)
{
    size_t depth = 0;
    int result = enter(levels, &depth, folder, ".", error);
    while (result == 0 && depth > 0) {
        DIR *current = levels[depth - 1].folder;
        const struct dirent *entry = readdir(current);
        struct stat status;
        if (!entry) {
            (void)closedir(current);
            depth--;
        } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                   fstatat(dirfd(current), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
            count(&status, bytes);
            result = S_ISDIR(status.st_mode) ? enter(levels, &depth, dirfd(current), entry->d_name, error) : 0;
        }
    }
    while (depth > 0) {
        (void)closedir(levels[--depth].folder);
    }
    return result;
}

int tree_size(int userns, int folder, int keep, uint64_t *ret_bytes, struct bh_error *error)
{
    static struct level levels[DEPTH_MAX];
    uint64_t bytes = 0;
    if (leave(userns, folder, keep, error) < 0 || walk(levels, folder, &bytes, error) < 0) {
        return -1;
    }
    *ret_bytes = bytes;
    return 0;
}
