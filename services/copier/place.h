/* SPDX-License-Identifier: Apache-2.0
 *
 * Putting one file in its place inside the container: what stood there goes, what is missing on the way is made, and
 * owner, mode, attributes and times become what they should be. Used by unpack.c (from an archive) and fill.c (from an
 * image). The tree may change meanwhile: what was made is worked on through its own descriptor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "common/error.h"

/* Where something goes: a name in a folder, and what to call it in errors. */
struct place {
    int folder; /* owned */
    const char *name;
    const char *shown;
};
void place_close(struct place *place);

/* Finds the folder that `path` ("a/b/c") lies in, below `top`, following links as the container's own programs would;
 * makes what is missing, for root. place->name points into `path`. */
int place_find(int top, const char *path, struct place *ret_place, struct bh_error *error);

/* What a file is to be. */
struct file_shape {
    mode_t mode; /* with its type */
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
};

/* Removes whatever is there, a whole tree if need be; nothing is fine. */
int place_clear(const struct place *place, struct bh_error *error);

/* Makes a folder, or takes the one that is there; open for reading. Owner and mode are set, times are the caller's to
 * set when it is full. */
int place_folder(const struct place *place, const struct file_shape *shape, int *ret_fd, struct bh_error *error);
/* Makes an empty regular file, open for writing; finished with place_finish(). */
int place_file(const struct place *place, int *ret_fd, struct bh_error *error);
int place_link(const struct place *place, const char *target, const struct file_shape *shape, struct bh_error *error);
int place_fifo(const struct place *place, const struct file_shape *shape, struct bh_error *error);

/* Owner and mode (in this order: a change of owner takes set-user-ID bits away) of an open file or folder. */
int place_own(int fd, const struct place *place, const struct file_shape *shape, struct bh_error *error);
int place_date(int fd, const struct place *place, const struct file_shape *shape, struct bh_error *error);
