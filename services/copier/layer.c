/* SPDX-License-Identifier: Apache-2.0
 *
 * See layer.h. A folder that hides all of the image's is written as whiteouts for each name that it hides: for a reader
 * it means the same as an opaque mark, and says what it takes away.
 */
#include "layer.h"

#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "compare.h"
#include "names.h"
#include "tar_writer.h"

#define WHITEOUT ".wh."

static int write_whiteout(struct tar_writer *writer, const char *path, struct bh_error *error)
{
    char parent[BH_PATH_BYTES_MAX + 1], entry[2 * BH_PATH_BYTES_MAX];
    const char *name = split_path(path, parent);
    (void)snprintf(entry, sizeof(entry), "%s%s" WHITEOUT "%s", name == path ? "" : parent, name == path ? "" : "/",
                   name);
    return tar_writer_add_mark(writer, entry, error);
}

static int write_change(void *argument, const struct change *change, struct bh_error *error)
{
    struct tar_writer *writer = argument;
    char entry[BH_PATH_BYTES_MAX + 2];
    if (change->kind == CHANGE_DELETED) {
        return write_whiteout(writer, change->path, error);
    }
    /* Whoever unpacked it would take such a name for a deletion. */
    if (change->name && strncmp(change->name, WHITEOUT, strlen(WHITEOUT)) == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "\"/%.200s\" cannot be part of an image: names that begin with " WHITEOUT
                            " mean deletions there",
                            change->path);
    }
    bool is_folder = !change->name || S_ISDIR(change->status->st_mode);
    (void)snprintf(entry, sizeof(entry), "%s%s", change->path, is_folder ? "/" : "");
    return change->name ? tar_writer_add(writer, change->folder, change->name, entry, change->status, error)
                        : tar_writer_add_folder(writer, change->folder, entry, error);
}

int layer_write(const struct copier *copier, int pipe, struct bh_error *error)
{
    tar_writer_auto struct tar_writer *writer = NULL;
    return tar_writer_open(pipe, &writer, error) < 0 || compare_layer(copier, write_change, writer, error) < 0
               ? -1
               : tar_writer_finish(writer, error);
}
