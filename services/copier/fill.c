/* SPDX-License-Identifier: Apache-2.0
 *
 * See fill.h. The image's tree is read-only; the volume's may be in the hands of other containers of the same tenant at
 * the same time. There is nothing but these two trees to be reached.
 */
#include "fill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attributes.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "common/log.h"
#include "hard_links.h"
#include "place.h"
#include "tree.h"

#define BUFFER_BYTES (256 * 1024)

struct filling {
    int volume;
    struct hard_links links;
    char *buffer;
};

/* ext4 makes one folder of its own in every file system. */
static int is_empty(int folder, bool *ret_empty, struct bh_error *error)
{
    names_auto struct name_list names = {0};
    if (names_read(folder, &names, error) < 0) {
        return -1;
    }
    *ret_empty = names.n == 0 || (names.n == 1 && strcmp(names.names[0], "lost+found") == 0);
    return 0;
}

static void shape_of(const struct stat *status, struct file_shape *ret_shape)
{
    *ret_shape = (struct file_shape){
        .mode = status->st_mode, .uid = status->st_uid, .gid = status->st_gid, .mtime = status->st_mtim};
}

struct attribute_target {
    int fd;
    int result;
    struct bh_error *error;
};

static void copy_attribute(void *argument, const char *name, const void *value, size_t n_bytes)
{
    struct attribute_target *target = argument;
    if (target->result == 0) {
        target->result = attribute_set(target->fd, name, value, n_bytes, target->error);
    }
}

static int copy_attributes(int from, int to, struct bh_error *error)
{
    struct attribute_target target = {.fd = to, .error = error};
    return attributes_read(from, copy_attribute, &target, error) < 0 ? -1 : target.result;
}

static int copy_content(const struct filling *filling, int from, int to, struct bh_error *error)
{
    for (;;) {
        ssize_t n = read(from, filling->buffer, BUFFER_BYTES);
        if (n == 0) {
            return 0;
        }
        if (n < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "read");
        }
        if (n > 0 && bh_write_all(to, filling->buffer, (size_t)n, "a file of the volume", error) < 0) {
            return -1;
        }
    }
}

static int copy_file(struct filling *filling, const struct walk_entry *entry, const struct place *place,
                     struct bh_error *error)
{
    struct stat status;
    struct file_shape shape;
    bool no_memory = false;
    bh_autoclose int from = tree_open_file(entry->folder, entry->name, &status), to = -1;
    if (from < 0) {
        return bh_error_errno(error, errno, "open");
    }
    const char *first = status.st_nlink > 1 ? hard_links_meet(&filling->links, &status, entry->path, &no_memory) : NULL;
    if (no_memory) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many hard links");
    }
    if (first) {
        __attribute__((cleanup(place_close))) struct place linked = {.folder = -1};
        return place_find(filling->volume, first, &linked, error) < 0 ? -1
               : linkat(linked.folder, linked.name, place->folder, place->name, 0) < 0
                   ? bh_error_errno(error, errno, "link to \"%.150s\"", first)
                   : 0;
    }
    shape_of(&status, &shape);
    return place_file(place, &to, error) < 0 || copy_content(filling, from, to, error) < 0 ||
                   place_own(to, place, &shape, error) < 0 || copy_attributes(from, to, error) < 0
               ? -1
               : place_date(to, place, &shape, error);
}

static int copy_folder(const struct walk_entry *entry, const struct place *place, struct bh_error *error)
{
    struct file_shape shape;
    bh_autoclose int from = tree_open_name(entry->folder, entry->name, O_RDONLY | O_DIRECTORY), to = -1;
    shape_of(&entry->status, &shape);
    return from < 0                                      ? bh_error_errno(error, errno, "open")
           : place_folder(place, &shape, &to, error) < 0 ? -1
                                                         : copy_attributes(from, to, error);
}

static int copy_link(const struct walk_entry *entry, const struct place *place, struct bh_error *error)
{
    struct file_shape shape;
    char target[BH_PATH_BYTES_MAX + 2];
    ssize_t n = readlinkat(entry->folder, entry->name, target, sizeof(target) - 1);
    if (n < 0) {
        return bh_error_errno(error, errno, "read link");
    }
    target[n] = '\0';
    shape_of(&entry->status, &shape);
    return place_link(place, target, &shape, error);
}

static enum walk_step fill_entry(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    struct filling *filling = argument;
    struct file_shape shape;
    __attribute__((cleanup(place_close))) struct place place = {.folder = -1};
    int result = place_find(filling->volume, entry->path, &place, error);
    switch (entry->status.st_mode & S_IFMT) {
    case S_IFREG:
        result = result < 0 ? -1 : copy_file(filling, entry, &place, error);
        break;
    case S_IFDIR:
        result = result < 0 ? -1 : copy_folder(entry, &place, error);
        break;
    case S_IFLNK:
        result = result < 0 ? -1 : copy_link(entry, &place, error);
        break;
    case S_IFIFO:
        shape_of(&entry->status, &shape);
        result = result < 0 ? -1 : place_fifo(&place, &shape, error);
        break;
    default: /* a device of the image's means nothing in a container */
        break;
    }
    if (result < 0) {
        (void)bh_error_wrap(error, "copy \"%.100s\" into the volume", entry->path);
    }
    return result < 0 ? WALK_FAILED : WALK_ON;
}

/* Once a folder is full nothing changes its time any more. */
static enum walk_step date_folder(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    const struct filling *filling = argument;
    struct file_shape shape;
    if (!S_ISDIR(entry->status.st_mode)) {
        return WALK_SKIP;
    }
    __attribute__((cleanup(place_close))) struct place place = {.folder = -1};
    if (place_find(filling->volume, entry->path, &place, error) < 0) {
        return WALK_FAILED;
    }
    bh_autoclose int fd = tree_open_name(place.folder, place.name, O_RDONLY | O_DIRECTORY);
    shape_of(&entry->status, &shape);
    return fd >= 0 && place_date(fd, &place, &shape, error) < 0 ? WALK_FAILED : WALK_ON;
}

static int fill(struct filling *filling, int source, struct bh_error *error)
{
    struct stat status;
    struct file_shape shape;
    const struct place top = {.folder = -1, .shown = "the volume"};
    const struct walk contents = {.visit = fill_entry, .argument = filling};
    const struct walk dates = {.visit = date_folder, .argument = filling};
    if (fstat(source, &status) < 0) {
        return bh_error_errno(error, errno, "look at the image's folder");
    }
    shape_of(&status, &shape);
    return walk_tree(source, &contents, error) < 0 || walk_tree(source, &dates, error) < 0 ||
                   place_own(filling->volume, &top, &shape, error) < 0 ||
                   copy_attributes(source, filling->volume, error) < 0
               ? -1
               : place_date(filling->volume, &top, &shape, error);
}

int fill_volume(const struct copier *copier, struct bh_error *error)
{
    bool empty = false;
    bh_autoclose int source = tree_open(copier->root, copier->path, O_RDONLY | O_DIRECTORY);
    if (source < 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return 0;
    }
    if (source < 0) {
        return bh_error_errno(error, errno, "open \"%.200s\" of the image", copier->path);
    }
    bh_autoclose int volume = openat(copier->upper, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (volume < 0 || is_empty(volume, &empty, error) < 0) {
        return volume < 0 ? bh_error_errno(error, errno, "open the volume") : -1;
    }
    if (!empty) {
        return 0;
    }
    struct filling filling = {.volume = volume, .buffer = malloc(BUFFER_BYTES)};
    int result = filling.buffer ? fill(&filling, source, error) : bh_error_errno(error, ENOMEM, "fill a volume");
    hard_links_free(&filling.links);
    free(filling.buffer);
    return result;
}
