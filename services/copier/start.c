/* SPDX-License-Identifier: Apache-2.0
 *
 * See start.h. The order is: check what was handed over, enter, become root inside, drop all else. The arguments and
 * descriptors are the executor's and trusted.
 */
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/breach.h"
#include "common/cleanup.h"
#include "sandbox.h"

static int take_view(int argc, char **argv, struct copier *copier, struct bh_error *error)
{
    static const char *const names[] = BH_COPIER_VIEW_NAMES;
    for (int view = BH_COPIER_READ; argc >= 2 && view < BH_COPIER_VIEW_COUNT; view++) {
        if (strcmp(argv[1], names[view]) == 0 && argc == (view == BH_COPIER_FILL ? 3 : 2)) {
            copier->view = (enum bh_copier_view)view;
            copier->path = argv[2];
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "started without a view: the executor does that, nobody else");
}

/* -1 for /dev/null, which stands for "none". */
static int take_tree(int fd)
{
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode)) {
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        return fd;
    }
    (void)close(fd);
    return -1;
}

/* Into the user namespace and a mount namespace. One that belongs to the container can be entered by the container's
 * root alone; the empty one, which is the executor's, only before becoming that. */
static int enter_namespaces(const struct copier *copier, struct bh_error *error)
{
    bool empty = copier->root >= 0 || copier->view == BH_COPIER_SIZE;
    if (empty && setns(BH_COPIER_FD_MOUNT, CLONE_NEWNS) < 0) {
        return bh_error_errno(error, errno, "enter the empty mount namespace");
    }
    if (setns(BH_COPIER_FD_USER, CLONE_NEWUSER) < 0) {
        return bh_error_errno(error, errno, "enter the container's user namespace");
    }
    if (!empty && setns(BH_COPIER_FD_MOUNT, CLONE_NEWNS) < 0) {
        return bh_error_errno(error, errno, "enter the container's mount namespace");
    }
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "become the container's root");
    }
    (void)close(BH_COPIER_FD_USER);
    (void)close(BH_COPIER_FD_MOUNT);
    return 0;
}

/* The tree that the job is about. Where all mounts count it is the namespace's root; else that mount alone, without
 * what lies on top of it. Whoever only reads has a copy of the mounts on which nothing can be written. */
static int open_root(struct copier *copier, struct bh_error *error)
{
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    if (copier->root >= 0 || copier->view == BH_COPIER_SIZE) {
        return 0;
    }
    if (copier->view == BH_COPIER_READ &&
        (unshare(CLONE_NEWNS) < 0 || mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof(read_only)) < 0)) {
        return bh_error_errno(error, errno, "make a copy of the container's mounts, read-only");
    }
    if (copier->view == BH_COPIER_READ || copier->view == BH_COPIER_WRITE) {
        copier->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    } else {
        copier->root = open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (copier->root >= 0 && mount_setattr(copier->root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0) {
            return bh_error_errno(error, errno, "make the container's root read-only");
        }
    }
    return copier->root < 0 ? bh_error_errno(error, errno, "open the container's root") : 0;
}

int copier_start(int argc, char **argv, struct copier *ret_copier, struct bh_error *error)
{
    struct copier copier = {.root = -1, .upper = -1, .lower = -1};
    const struct bh_sandbox_context context = {.folders = NULL};
    if (take_view(argc, argv, &copier, error) < 0) {
        return -1;
    }
    (void)close_range(BH_COPIER_FD_COUNT, ~0U, 0);
    bh_breach_open();
    copier.root = take_tree(BH_COPIER_FD_ROOT);
    copier.upper = take_tree(BH_COPIER_FD_UPPER);
    copier.lower = take_tree(BH_COPIER_FD_LOWER);
    /* So that names in UTF-8 need no excuse in an archive; all others are handed on as the bytes they are. */
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file beyond the limit is an error like others */
    if (enter_namespaces(&copier, error) < 0 || open_root(&copier, error) < 0) {
        return -1;
    }
    /* After the change of ids, which takes the death signal away. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        return bh_error_errno(error, errno, "prepare to die with the executor's job");
    }
    bool writes = copier.view == BH_COPIER_WRITE || copier.view == BH_COPIER_FILL;
    if (bh_sandbox_enter(writes ? &copier_sandbox : &copier_reader_sandbox, &context, error) < 0) {
        return -1;
    }
    *ret_copier = copier;
    return 0;
}
