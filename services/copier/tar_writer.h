/* SPDX-License-Identifier: Apache-2.0
 *
 * Files into a tar, on its way into a pipe. Headers are ustar where that suffices and PAX where it does not, with times
 * in whole seconds and no names of users: the same files always make the same bytes.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "common/error.h"

struct tar_writer;

/* Borrows `fd`. */
int tar_writer_open(int fd, struct tar_writer **ret_writer, struct bh_error *error);
/* Writes the archive's end. */
int tar_writer_finish(struct tar_writer *writer, struct bh_error *error);
void tar_writer_free(struct tar_writer **writer);
#define tar_writer_auto bh_cleanup(tar_writer_free)

/* Adds the file `name` of `folder` as `entry`. Sockets are left out, as Docker does; a file that was added before under
 * another name becomes a hard link to that. What vanished meanwhile is passed over. `status` is as it was found. */
int tar_writer_add(struct tar_writer *writer, int folder, const char *name, const char *entry,
                   const struct stat *status, struct bh_error *error);
/* Adds a folder by its own descriptor. */
int tar_writer_add_folder(struct tar_writer *writer, int folder, const char *entry, struct bh_error *error);
/* Adds an empty file of mode 0 that belongs to root and is of no time: a whiteout. */
int tar_writer_add_mark(struct tar_writer *writer, const char *entry, struct bh_error *error);
