/* SPDX-License-Identifier: Apache-2.0
 *
 * See copy_out.h.
 */
#include "copy_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tar_writer.h"

/* ---- finding --------------------------------------------------------------------------------------------- */

static int refuse(int err, const char *path, struct bh_error *error)
{
    switch (err) {
    case ENOTDIR:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%.200s: not a directory", path);
    case ELOOP:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%.200s: too many levels of symbolic links", path);
    default:
        return bh_error_errno(error, err, "find \"%.200s\" in the container", path);
    }
}

int found_path_open(int root, const char *path, struct found_path *ret_found, struct bh_error *error)
{
    ret_found->parent = ret_found->file = -1;
    ret_found->link_target[0] = '\0';
    struct asked_path *asked = &ret_found->asked;
    if (asked_path_parse(path, asked, error) < 0) {
        return -1;
    }
    if (asked->follow || !*asked->base) {
        ret_found->file = tree_open(root, asked->text, O_PATH | O_DIRECTORY);
    } else {
        ret_found->parent = tree_open(root, asked->parent, O_PATH | O_DIRECTORY);
        ret_found->file = ret_found->parent < 0 ? -1 : tree_open_name(ret_found->parent, asked->base, O_PATH);
    }
    if (ret_found->file < 0 || fstat(ret_found->file, &ret_found->status) < 0) {
        return refuse(errno, path, error);
    }
    if (!S_ISDIR(ret_found->status.st_mode) && tree_is_kernels(ret_found->file)) {
        return refuse(ENOENT, path, error); /* nothing that could be copied */
    }
    return S_ISLNK(ret_found->status.st_mode)
               ? tree_follow(root, asked->text, ret_found->link_target, sizeof(ret_found->link_target), error)
               : 0;
}

void found_path_close(struct found_path *found)
{
    bh_close(&found->parent);
    bh_close(&found->file);
}

/* ---- writing --------------------------------------------------------------------------------------------- */

struct copying {
    struct tar_writer *writer;
    const struct asked_path *asked; /* NULL: names are what they are below the root */
};

static enum walk_step copy_entry(void *argument, const struct walk_entry *entry, struct bh_error *error)
{
    const struct copying *copying = argument;
    char name[2 * (BH_PATH_BYTES_MAX + 1)];
    bool is_folder = S_ISDIR(entry->status.st_mode);
    if (copying->asked) {
        if (entry_name(copying->asked, entry->path, is_folder, name, sizeof(name), error) < 0) {
            return WALK_FAILED;
        }
    } else {
        (void)snprintf(name, sizeof(name), "%s%s", entry->path, is_folder ? "/" : "");
    }
    return tar_writer_add(copying->writer, entry->folder, entry->name, name, &entry->status, error) < 0 ? WALK_FAILED
                                                                                                        : WALK_ON;
}

int copy_out(int root, const struct found_path *found, int pipe, struct bh_error *error)
{
    tar_writer_auto struct tar_writer *writer = NULL;
    char name[BH_PATH_BYTES_MAX + 2];
    bool is_folder = S_ISDIR(found->status.st_mode);
    if (tar_writer_open(pipe, &writer, error) < 0 ||
        entry_name(&found->asked, "", is_folder, name, sizeof(name), error) < 0) {
        return -1;
    }
    if (!is_folder) {
        return tar_writer_add(writer, found->parent, found->asked.base, name, &found->status, error) < 0
                   ? -1
                   : tar_writer_finish(writer, error);
    }
    struct copying copying = {.writer = writer, .asked = &found->asked};
    const struct walk walk = {.visit = copy_entry, .argument = &copying, .skip_mounts_of_kernel = true, .root = root};
    if (tar_writer_add_folder(writer, found->file, name, error) < 0 ||
        (!tree_is_kernels(found->file) && walk_tree(found->file, &walk, error) < 0)) {
        return -1;
    }
    return tar_writer_finish(writer, error);
}

int copy_root(int root, int pipe, struct bh_error *error)
{
    tar_writer_auto struct tar_writer *writer = NULL;
    if (tar_writer_open(pipe, &writer, error) < 0) {
        return -1;
    }
    struct copying copying = {.writer = writer};
    const struct walk walk = {.visit = copy_entry, .argument = &copying};
    return walk_tree(root, &walk, error) < 0 ? -1 : tar_writer_finish(writer, error);
}
