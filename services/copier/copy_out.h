/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's files into a tar: `docker cp` out of it, and `docker export`.
 */
#pragma once

#include "names.h"
#include "tree.h"

/* What a path names, opened once: the file itself (O_PATH; not followed unless the path asks for it). */
struct found_path {
    struct asked_path asked;
    int parent;         /* its folder; -1 if the path was followed, or is "/" */
    int file;           /* O_PATH */
    struct stat status; /* of `file` */
    char link_target[BH_PATH_BYTES_MAX + 1];
};

/* NOT_FOUND with sys_errno ENOENT if there is nothing; INVALID_ARGUMENT for a file that should be a folder. */
int found_path_open(int root, const char *path, struct found_path *ret_found, struct bh_error *error);
void found_path_close(struct found_path *found);

/* Writes the archive of what was found. */
int copy_out(int root, const struct found_path *found, int pipe, struct bh_error *error);
/* Writes all of `root`, itself excepted. */
int copy_root(int root, int pipe, struct bh_error *error);
