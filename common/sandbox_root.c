/* SPDX-License-Identifier: Apache-2.0
 *
 * The file system side of sandboxes; see sandbox_root.h. Runs with root's rights, before anything from outside was
 * read.
 */
#include "common/sandbox_root.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define MOUNT_POINT "/tmp" /* where the new root lies for the moment between mounting and pivoting */

static int make_tmpfs(int *ret_fd, struct bh_error *error)
{
    bh_autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "64k", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make an empty root");
    }
    *ret_fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "mount an empty root") : 0;
}

static int clone_tree(int folder, const char *path, int *ret_fd, struct bh_error *error)
{
    *ret_fd = open_tree(folder, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0U : (unsigned int)AT_EMPTY_PATH));
    return *ret_fd < 0 ? bh_error_errno(error, errno, "clone the mount of \"%s\"", *path ? path : "a folder") : 0;
}

static int clone_folder(const struct bh_sandbox_context *context, enum bh_folder folder, bool optional,
                        struct bh_sandbox_trees *trees, struct bh_error *error)
{
    if (!context->folders || context->folders[folder] < 0) {
        return optional ? 0 : bh_error_set(error, BH_FAILED_PRECONDITION, "folder %d was not handed over", (int)folder);
    }
    return trees->folders[folder] < 0 ? clone_tree(context->folders[folder], "", &trees->folders[folder], error) : 0;
}

int bh_sandbox_clone_folders(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context,
                             struct bh_sandbox_trees *ret_trees, struct bh_error *error)
{
    for (int i = 0; i < BH_FOLDER_COUNT; i++) {
        ret_trees->folders[i] = -1;
    }
    if (sandbox->root == BH_ROOT_FOLDER && clone_folder(context, BH_FOLDER_STATE, false, ret_trees, error) < 0) {
        return -1;
    }
    for (const struct bh_view *view = sandbox->views; view->inside; view++) {
        if (!view->host && clone_folder(context, view->folder, view->optional, ret_trees, error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Makes the folders above `inside` and then a file or folder to mount on. */
static int make_target(int root, const char *inside, bool is_folder, struct bh_error *error)
{
    char path[256];
    size_t length = strlen(inside + 1);
    if (length == 0 || length >= sizeof(path)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "view \"%s\" has no usable path", inside);
    }
    memcpy(path, inside + 1, length + 1);
    for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdirat(root, path, 0555) < 0 && errno != EEXIST) {
            return bh_error_errno(error, errno, "make folder \"%s\" of the root", path);
        }
        *slash = '/';
    }
    if (is_folder) {
        return mkdirat(root, path, 0555) < 0 && errno != EEXIST
                   ? bh_error_errno(error, errno, "make folder \"%s\" of the root", path)
                   : 0;
    }
    bh_autoclose int file = openat(root, path, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0444);
    return file < 0 ? bh_error_errno(error, errno, "make file \"%s\" of the root", path) : 0;
}

static int set_attributes(int tree, unsigned int how, uint64_t attributes, struct bh_error *error)
{
    struct mount_attr change = {.attr_set = attributes};
    return mount_setattr(tree, "", AT_EMPTY_PATH | how, &change, sizeof(change)) < 0
               ? bh_error_errno(error, errno, "restrict a mount of the root")
               : 0;
}

int bh_sandbox_detach_folders(const struct bh_sandbox_context *context, struct bh_error *error)
{
    for (int i = 0; context->folders && i < BH_FOLDER_COUNT; i++) {
        int *folder = &context->folders[i];
        bh_autoclose int tree = -1;
        if (*folder < 0) {
            continue;
        }
        uint64_t attributes =
            MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | (i == BH_FOLDER_STATE ? 0 : MOUNT_ATTR_RDONLY);
        if (clone_tree(*folder, "", &tree, error) < 0 || set_attributes(tree, 0, attributes, error) < 0) {
            return bh_error_wrap(error, "folder %d", i);
        }
        (void)close(*folder);
        *folder = bh_steal_fd(&tree);
    }
    return 0;
}

static int add_view(int root, const struct bh_view *view, struct bh_sandbox_trees *trees, struct bh_error *error)
{
    bh_autoclose int tree = -1;
    if (!view->host) {
        tree = bh_steal_fd(&trees->folders[view->folder]);
        if (tree < 0) {
            return 0; /* optional, and not handed over */
        }
    } else if (clone_tree(AT_FDCWD, view->host, &tree, error) < 0) {
        return view->optional && error->sys_errno == ENOENT ? 0 : -1;
    }
    struct stat status;
    if (fstat(tree, &status) < 0) {
        return bh_error_errno(error, errno, "look at view \"%s\"", view->inside);
    }
    if (make_target(root, view->inside, S_ISDIR(status.st_mode), error) < 0) {
        return -1;
    }
    if (!view->writable && set_attributes(tree, 0, MOUNT_ATTR_RDONLY, error) < 0) {
        return -1;
    }
    if (move_mount(tree, "", root, view->inside + 1, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
        return bh_error_errno(error, errno, "show \"%s\" in the root", view->inside);
    }
    return 0;
}

int bh_sandbox_change_root(const struct bh_sandbox *sandbox, struct bh_sandbox_trees *trees, struct bh_error *error)
{
    bh_autoclose int root = -1;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        return bh_error_errno(error, errno, "make mounts private");
    }
    if (sandbox->root == BH_ROOT_FOLDER) {
        root = bh_steal_fd(&trees->folders[BH_FOLDER_STATE]);
    } else if (make_tmpfs(&root, error) < 0) {
        return -1;
    }
    if (move_mount(root, "", AT_FDCWD, MOUNT_POINT, MOVE_MOUNT_F_EMPTY_PATH) < 0) {
        return bh_error_errno(error, errno, "place the new root");
    }
    for (const struct bh_view *view = sandbox->views; view->inside; view++) {
        if (add_view(root, view, trees, error) < 0) {
            return -1;
        }
    }
    if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0) {
        return bh_error_errno(error, errno, "change to the new root");
    }
    if (sandbox->root == BH_ROOT_EMPTY && set_attributes(root, 0, MOUNT_ATTR_RDONLY, error) < 0) {
        return -1;
    }
    return set_attributes(root, AT_RECURSIVE, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, error);
}
