/* SPDX-License-Identifier: Apache-2.0
 *
 * Walking; see tree.h. One descriptor a level is open, so that no path is looked up twice; how deep it goes is bounded
 * by the length of paths.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "tree.h"

#define TEXT_FIRST_BYTES 4096

/* ---- names ----------------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends names one behind another, each with its NUL. */
static int collect(DIR *folder, char **text, size_t *used, size_t *n, struct bh_error *error)
{
    size_t size = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            return errno ? bh_error_errno(error, errno, "list a folder of the container") : 0;
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            continue;
        }
        size_t length = strlen(name) + 1;
        if (*used + length > size) {
            size = size ? 2 * size : TEXT_FIRST_BYTES;
            char *grown = realloc(*text, size);
            if (!grown) {
                return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a folder of the container has too many entries");
            }
            *text = grown;
        }
        memcpy(*text + *used, name, length);
        *used += length;
        ++*n;
    }
}

int names_read(int folder, struct name_list *ret_list, struct bh_error *error)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bh_autoclosedir DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    bh_autofree char *text = NULL;
    size_t used = 0, n = 0;
    if (!stream) {
        bh_close(&copy);
        return bh_error_errno(error, errno, "list a folder of the container");
    }
    if (collect(stream, &text, &used, &n, error) < 0) {
        return -1;
    }
    char **names = calloc(n + 1, sizeof(*names));
    if (!names) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a folder of the container has too many entries");
    }
    for (size_t i = 0, at = 0; i < n; i++) {
        names[i] = text + at;
        at += strlen(text + at) + 1;
    }
    qsort(names, n, sizeof(*names), by_bytes);
    *ret_list = (struct name_list){.names = names, .n = n, .text = bh_steal_pointer(&text)};
    return 0;
}

void names_free(struct name_list *list)
{
    free(list->names);
    free(list->text);
    *list = (struct name_list){0};
}

bool names_have(const struct name_list *list, const char *name)
{
    return list->n > 0 && bsearch(&name, list->names, list->n, sizeof(*list->names), by_bytes) != NULL;
}

/* ---- levels ---------------------------------------------------------------------------------------------- */

struct level {
    struct level *above;
    int folder;
    struct name_list names;
    size_t next;
    size_t path_length; /* of the folder's own path */
};

struct walking {
    const struct walk *walk;
    struct level *level;
    char path[BH_PATH_BYTES_MAX + 1];
    dev_t dev_device; /* /dev, if something is mounted there */
    ino_t dev_inode;
    bool has_dev;
};

static void leave(struct walking *walking)
{
    struct level *level = walking->level;
    walking->level = level->above;
    names_free(&level->names);
    bh_close(&level->folder);
    free(level);
}

static int tell_left(const struct walking *walking, struct bh_error *error)
{
    const struct level *level = walking->level;
    return level && walking->walk->leave ? walking->walk->leave(walking->walk->argument, level->folder,
                                                                level->names.names[level->next - 1], error)
                                         : 0;
}

static void walking_end(struct walking *walking)
{
    while (walking->level) {
        leave(walking);
    }
}

/* Takes `folder`. */
static int enter(struct walking *walking, int folder, size_t path_length, struct bh_error *error)
{
    struct level *level = calloc(1, sizeof(*level));
    if (!level) {
        bh_close(&folder);
        return bh_error_errno(error, ENOMEM, "walk the container's files");
    }
    *level = (struct level){.above = walking->level, .folder = folder, .path_length = path_length};
    walking->level = level;
    return names_read(folder, &level->names, error);
}

/* Whether a folder is a place where the kernel's own files begin. */
static bool is_kernels(const struct walking *walking, int folder, const struct stat *status)
{
    return walking->walk->skip_mounts_of_kernel &&
           ((walking->has_dev && status->st_dev == walking->dev_device && status->st_ino == walking->dev_inode) ||
            tree_is_kernels(folder));
}

static void find_dev(struct walking *walking)
{
    struct stat root, dev;
    if (walking->walk->skip_mounts_of_kernel) {
        bh_autoclose int fd = tree_open_name(walking->walk->root, "dev", O_PATH | O_DIRECTORY);
        walking->has_dev =
            fd >= 0 && fstat(fd, &dev) == 0 && fstat(walking->walk->root, &root) == 0 && root.st_dev != dev.st_dev;
        walking->dev_device = dev.st_dev;
        walking->dev_inode = dev.st_ino;
    }
}

static int visit_one(struct walking *walking, const char *name, struct bh_error *error)
{
    struct level *level = walking->level;
    struct walk_entry entry = {.folder = level->folder, .name = name, .path = walking->path};
    int n = snprintf(walking->path + level->path_length, sizeof(walking->path) - level->path_length, "%s%s",
                     level->path_length ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof(walking->path) - level->path_length) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "a path in the container is longer than %d bytes: \"%.200s...\"", BH_PATH_BYTES_MAX,
                            walking->path);
    }
    if (fstatat(level->folder, name, &entry.status, AT_SYMLINK_NOFOLLOW) < 0) {
        return errno == ENOENT ? 0 : bh_error_errno(error, errno, "look at \"/%.200s\"", walking->path);
    }
    enum walk_step step = walking->walk->visit(walking->walk->argument, &entry, error);
    if (step != WALK_ON || !S_ISDIR(entry.status.st_mode)) {
        return step == WALK_FAILED ? -1 : 0;
    }
    bh_autoclose int folder = tree_open_name(level->folder, name, O_RDONLY | O_DIRECTORY);
    if (folder < 0) { /* it vanished, or is something else by now */
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
                   ? 0
                   : bh_error_errno(error, errno, "open \"/%.200s\"", walking->path);
    }
    return is_kernels(walking, folder, &entry.status)
               ? 0
               : enter(walking, bh_steal_fd(&folder), level->path_length + (size_t)n, error);
}

int walk_tree(int folder, const struct walk *walk, struct bh_error *error)
{
    __attribute__((cleanup(walking_end))) struct walking walking = {.walk = walk};
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) {
        return bh_error_errno(error, errno, "open a folder of the container");
    }
    find_dev(&walking);
    if (enter(&walking, copy, 0, error) < 0) {
        return -1;
    }
    while (walking.level) {
        struct level *level = walking.level;
        if (level->next == level->names.n) {
            leave(&walking);
            if (tell_left(&walking, error) < 0) {
                return -1;
            }
        } else if (visit_one(&walking, level->names.names[level->next++], error) < 0) {
            return -1;
        }
    }
    return 0;
}
