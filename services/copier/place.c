/* SPDX-License-Identifier: Apache-2.0
 *
 * See place.h.
 */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "names.h"
#include "tree.h"

/* What Docker calls these cases. */
static int failed(int err, const char *what, const char *shown, struct bh_error *error)
{
    if (err == EROFS) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "%s \"%.200s\": the file system is read-only", what, shown);
    }
    if (err == EBUSY) {
        return bh_error_set(error, BH_INTERNAL, "%s \"%.200s\": device or resource busy", what, shown);
    }
    return bh_error_errno(error, err, "%s \"%.200s\"", what, shown);
}

void place_close(struct place *place)
{
    bh_close(&place->folder);
}

/* ---- the way there --------------------------------------------------------------------------------------- */

/* Links on the way lead where they lead for the container: absolute ones to its own root, which is this process's. */
static int open_folder(int top, const char *path)
{
    return tree_open_as_process(top, path, O_PATH | O_DIRECTORY);
}

/* Makes every missing folder of `path`. */
static int make_folders(int top, const char *path, struct bh_error *error)
{
    char prefix[BH_PATH_BYTES_MAX + 1], parent[BH_PATH_BYTES_MAX + 1];
    (void)memccpy(prefix, path, '\0', sizeof(prefix));
    for (char *slash = strchr(prefix, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) {
            *slash = '\0';
        }
        const char *name = split_path(prefix, parent);
        bh_autoclose int folder = open_folder(top, parent);
        if (folder < 0 || (mkdirat(folder, name, 0755) < 0 && errno != EEXIST)) {
            return failed(errno, "make folder", prefix, error);
        }
        if (!slash) {
            return 0;
        }
        *slash = '/';
    }
}

int place_find(int top, const char *path, struct place *ret_place, struct bh_error *error)
{
    char parent[BH_PATH_BYTES_MAX + 1];
    const char *name = split_path(path, parent);
    int folder = open_folder(top, parent);
    if (folder < 0 && errno == ENOENT) {
        if (make_folders(top, parent, error) < 0) {
            return -1;
        }
        folder = open_folder(top, parent);
    }
    if (folder < 0) {
        return failed(errno, "open the folder of", path, error);
    }
    *ret_place = (struct place){.folder = folder, .name = name, .shown = path};
    return 0;
}

/* ---- removing -------------------------------------------------------------------------------------------- */

static enum walk_step remove_entry(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    (void)argument;
    if (S_ISDIR(entry->status.st_mode)) {
        return WALK_ON;
    }
    return unlinkat(entry->folder, entry->name, 0) < 0 && errno != ENOENT
               ? (enum walk_step)failed(errno, "unlinkat", entry->path, error)
               : WALK_SKIP;
}

static int remove_folder(void *argument, int folder, const char *name, struct bh_error *error)
{
    (void)argument;
    return unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? failed(errno, "unlinkat", name, error) : 0;
}

int place_clear(const struct place *place, struct bh_error *error)
{
    static const struct walk walk = {.visit = remove_entry, .leave = remove_folder};
    if (unlinkat(place->folder, place->name, 0) == 0 || errno == ENOENT) {
        return 0;
    }
    bh_autoclose int folder = errno == EISDIR ? tree_open_name(place->folder, place->name, O_RDONLY | O_DIRECTORY) : -1;
    if (folder < 0) {
        return failed(errno, "unlinkat", place->shown, error);
    }
    if (walk_tree(folder, &walk, error) < 0) {
        return -1;
    }
    return unlinkat(place->folder, place->name, AT_REMOVEDIR) < 0 ? failed(errno, "unlinkat", place->shown, error) : 0;
}

/* ---- making ---------------------------------------------------------------------------------------------- */

int place_own(int fd, const struct place *place, const struct file_shape *shape, struct bh_error *error)
{
    return fchown(fd, shape->uid, shape->gid) < 0 || fchmod(fd, shape->mode & 07777) < 0
               ? failed(errno, "set owner and mode of", place->shown, error)
               : 0;
}

int place_date(int fd, const struct place *place, const struct file_shape *shape, struct bh_error *error)
{
    const struct timespec times[2] = {shape->mtime, shape->mtime};
    return futimens(fd, times) < 0 ? failed(errno, "set the times of", place->shown, error) : 0;
}

int place_folder(const struct place *place, const struct file_shape *shape, int *ret_fd, struct bh_error *error)
{
    if (mkdirat(place->folder, place->name, 0700) < 0 && errno != EEXIST) {
        return failed(errno, "make folder", place->shown, error);
    }
    bh_autoclose int fd = tree_open_name(place->folder, place->name, O_RDONLY | O_DIRECTORY);
    if (fd < 0) {
        return failed(errno, "open folder", place->shown, error);
    }
    if (place_own(fd, place, shape, error) < 0) {
        return -1;
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int place_file(const struct place *place, int *ret_fd, struct bh_error *error)
{
    *ret_fd = openat(place->folder, place->name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
    return *ret_fd < 0 ? failed(errno, "make file", place->shown, error) : 0;
}

int place_link(const struct place *place, const char *target, const struct file_shape *shape, struct bh_error *error)
{
    const struct timespec times[2] = {shape->mtime, shape->mtime};
    return symlinkat(target, place->folder, place->name) < 0 ||
                   fchownat(place->folder, place->name, shape->uid, shape->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                   utimensat(place->folder, place->name, times, AT_SYMLINK_NOFOLLOW) < 0
               ? failed(errno, "make symbolic link", place->shown, error)
               : 0;
}

/* Never opened, for that would wait; should somebody put a link in its place meanwhile, that leads nowhere but into the
 * container, whose root does this. */
int place_fifo(const struct place *place, const struct file_shape *shape, struct bh_error *error)
{
    const struct timespec times[2] = {shape->mtime, shape->mtime};
    return mknodat(place->folder, place->name, S_IFIFO | 0600, 0) < 0 ||
                   fchownat(place->folder, place->name, shape->uid, shape->gid, AT_SYMLINK_NOFOLLOW) < 0 ||
                   fchmodat(place->folder, place->name, shape->mode & 07777, 0) < 0 ||
                   utimensat(place->folder, place->name, times, AT_SYMLINK_NOFOLLOW) < 0
               ? failed(errno, "make FIFO", place->shown, error)
               : 0;
}
