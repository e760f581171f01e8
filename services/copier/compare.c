/* SPDX-License-Identifier: Apache-2.0
 *
 * See compare.h. All three trees are walked together, by descriptor.
 */
#include "compare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"

/* A folder of the layer on the way down. */
struct level {
    struct level *above;
    size_t path_length;
    int upper, lower, merged; /* lower: -1 where the image has no such folder; merged: -1 if not needed */
    bool told;
    char path[]; /* without a slash at its beginning */
};

struct comparison {
    int (*tell)(void *argument, const struct change *change, struct bh_error *error);
    void *argument;
    struct level *level;
};

/* ---- judging --------------------------------------------------------------------------------------------- */

bool compare_same(const struct stat *before, const struct stat *now)
{
    const struct timespec *a = &before->st_mtim, *b = &now->st_mtim;
    bool same_time = a->tv_sec == b->tv_sec && (a->tv_nsec == b->tv_nsec || a->tv_nsec == 0 || b->tv_nsec == 0);
    return before->st_mode == now->st_mode && before->st_uid == now->st_uid && before->st_gid == now->st_gid &&
           before->st_rdev == now->st_rdev && (S_ISDIR(now->st_mode) || (same_time && before->st_size == now->st_size));
}

bool compare_is_mount_point(const char *path, const struct stat *status)
{
    static const char *const folders[] = {"dev", "dev/pts", "dev/shm", "dev/mqueue", "proc", "sys", "sys/fs/cgroup"};
    static const char *const files[] = {"etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/console"};
    for (size_t i = 0; S_ISDIR(status->st_mode) && i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (strcmp(path, folders[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; S_ISREG(status->st_mode) && status->st_size == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(path, files[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == 0;
}

/* ---- levels ---------------------------------------------------------------------------------------------- */

static void level_pop(struct comparison *comparison)
{
    struct level *level = comparison->level;
    comparison->level = level->above;
    bh_close(&level->upper);
    bh_close(&level->lower);
    bh_close(&level->merged);
    free(level);
}

static void comparison_end(struct comparison *comparison)
{
    while (comparison->level) {
        level_pop(comparison);
    }
}

/* Takes the descriptors. */
static struct level *level_push(struct comparison *comparison, const char *path, int upper, int lower, int merged,
                                struct bh_error *error)
{
    size_t n = strlen(path);
    struct level *level = calloc(1, sizeof(*level) + n + 1);
    if (!level) {
        bh_close(&upper);
        bh_close(&lower);
        bh_close(&merged);
        (void)bh_error_errno(error, ENOMEM, "compare the container with its image");
        return NULL;
    }
    level->above = comparison->level;
    level->path_length = n;
    level->upper = upper;
    level->lower = lower;
    level->merged = merged;
    memcpy(level->path, path, n + 1);
    comparison->level = level;
    return level;
}

/* The level that `path` lies in: deeper ones have been left. */
static struct level *level_of(struct comparison *comparison, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    while (comparison->level->path_length > length) {
        level_pop(comparison);
    }
    return comparison->level;
}

/* ---- telling --------------------------------------------------------------------------------------------- */

/* A folder is told, as modified, when the first change inside of it is. */
static int tell_folder(struct comparison *comparison, struct level *level, struct bh_error *error)
{
    if (!level || level->told) {
        return 0;
    }
    level->told = true;
    const struct change change = {.kind = CHANGE_MODIFIED, .path = level->path, .folder = level->upper};
    return tell_folder(comparison, level->above, error) < 0 ? -1
                                                            : comparison->tell(comparison->argument, &change, error);
}

static int tell(struct comparison *comparison, struct level *level, const struct change *change, struct bh_error *error)
{
    return tell_folder(comparison, level, error) < 0 ? -1 : comparison->tell(comparison->argument, change, error);
}

static int tell_deleted(struct comparison *comparison, struct level *level, const char *name, struct bh_error *error)
{
    char path[BH_PATH_BYTES_MAX + 1];
    int n = snprintf(path, sizeof(path), "%s%s%s", level->path, *level->path ? "/" : "", name);
    const struct change change = {.kind = CHANGE_DELETED, .path = path, .folder = -1};
    return n < 0 || (size_t)n >= sizeof(path)
               ? bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a path in the image is longer than %d bytes",
                              BH_PATH_BYTES_MAX)
               : tell(comparison, level, &change, error);
}

/* ---- comparing ------------------------------------------------------------------------------------------- */

/* What the image has in this folder and the container does not see there, without a whiteout that says so. One name is
 * enough to know. */
static int compare_hidden(struct comparison *comparison, struct level *level, struct bh_error *error)
{
    names_auto struct name_list ours = {0}, images = {0};
    struct stat ignored;
    if (level->lower < 0 || level->merged < 0) {
        return 0;
    }
    if (names_read(level->upper, &ours, error) < 0 || names_read(level->lower, &images, error) < 0) {
        return -1;
    }
    bool known = false;
    for (size_t i = 0; i < images.n; i++) {
        if (names_have(&ours, images.names[i])) {
            continue;
        }
        if (!known && fstatat(level->merged, images.names[i], &ignored, AT_SYMLINK_NOFOLLOW) == 0) {
            return 0; /* it shines through */
        }
        known = true;
        if (tell_deleted(comparison, level, images.names[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Goes into a folder of the layer. `lower` (taken) is the image's, or -1; `told`: it was told already. */
static int enter(struct comparison *comparison, const struct walk_entry *entry, const struct level *parent, int lower,
                 bool told, struct bh_error *error)
{
    int upper = tree_open_name(entry->folder, entry->name, O_RDONLY | O_DIRECTORY);
    if (upper < 0) {
        bh_close(&lower);
        return errno == ENOENT || errno == ENOTDIR ? 0 : bh_error_errno(error, errno, "open \"/%.200s\"", entry->path);
    }
    int merged =
        parent->merged >= 0 && lower >= 0 ? tree_open_name(parent->merged, entry->name, O_PATH | O_DIRECTORY) : -1;
    struct level *level = level_push(comparison, entry->path, upper, lower, merged, error);
    if (!level) {
        return -1;
    }
    level->told = told;
    return compare_hidden(comparison, level, error);
}

static enum walk_step compare_entry(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    struct comparison *comparison = argument;
    struct level *level = level_of(comparison, entry->path);
    struct stat before;
    bool was = level->lower >= 0 && fstatat(level->lower, entry->name, &before, AT_SYMLINK_NOFOLLOW) == 0;
    bool is_folder = S_ISDIR(entry->status.st_mode);
    if (is_whiteout(&entry->status)) {
        return was && tell_deleted(comparison, level, entry->name, error) < 0 ? WALK_FAILED : WALK_ON;
    }
    bool mount_point = !was && compare_is_mount_point(entry->path, &entry->status);
    bool same = was && compare_same(&before, &entry->status);
    const struct change change = {.kind = was ? CHANGE_MODIFIED : CHANGE_ADDED,
                                  .path = entry->path,
                                  .folder = entry->folder,
                                  .name = entry->name,
                                  .status = &entry->status};
    if (!same && !mount_point && tell(comparison, level, &change, error) < 0) {
        return WALK_FAILED;
    }
    if (is_folder) {
        int lower =
            was && S_ISDIR(before.st_mode) ? tree_open_name(level->lower, entry->name, O_RDONLY | O_DIRECTORY) : -1;
        return enter(comparison, entry, level, lower, !same && !mount_point, error) < 0 ? WALK_FAILED : WALK_ON;
    }
    return WALK_ON;
}

int compare_layer(const struct copier *copier,
                  int (*tell_change)(void *argument, const struct change *change, struct bh_error *error),
                  void *argument, struct bh_error *error)
{
    __attribute__((cleanup(comparison_end))) struct comparison comparison = {.tell = tell_change, .argument = argument};
    const struct walk walk = {.visit = compare_entry, .argument = &comparison};
    int upper = openat(copier->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lower = openat(copier->lower, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int merged = openat(copier->root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (upper < 0 || lower < 0 || merged < 0) {
        (void)bh_error_errno(error, errno, "open the container's layer");
        bh_close(&upper);
        bh_close(&lower);
        bh_close(&merged);
        return -1;
    }
    struct level *top = level_push(&comparison, "", upper, lower, merged, error);
    if (!top) {
        return -1;
    }
    top->told = true; /* the root itself is none of the changes */
    return walk_tree(copier->upper, &walk, error);
}
