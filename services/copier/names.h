/* SPDX-License-Identifier: Apache-2.0
 *
 * Names: paths as clients write them, and what entries of an archive are called after them. Pure text; nothing here
 * touches a file system. The rules are Docker's, to the letter, because scripts depend on them.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "common/limits.h"

/* A path as it was asked for: "/etc", "etc/", "/etc/.", "/a/../etc". */
struct asked_path {
    char text[BH_PATH_BYTES_MAX + 1];   /* absolute and clean: no "//", ".", "..", no slash at its end but "/" */
    char parent[BH_PATH_BYTES_MAX + 1]; /* all but its last component; "/" for "/" */
    char base[BH_PATH_BYTES_MAX + 1];   /* the last component; "" for "/" */
    char name[BH_PATH_BYTES_MAX + 1];   /* what Docker calls it, and what archive entries begin with: "etc", "/", "." */
    bool follow;                        /* it ended with "/" or "/.": a link is followed, and it must be a folder */
};
int asked_path_parse(const char *path, struct asked_path *ret_path, struct bh_error *error);

/* The name of an entry: `below` is its path below what was asked for, "" for that itself. A folder's ends with "/".
 * RESOURCE_EXHAUSTED if it is too long. */
int entry_name(const struct asked_path *asked, const char *below, bool is_folder, char *buffer, size_t buffer_bytes,
               struct bh_error *error);

/* Makes the name of an archive's entry a path below the place it is unpacked in: "a/b", "" for the place itself.
 * Refuses what leads out of it. */
int unpacked_path(const char *name, char ret_path[static BH_PATH_BYTES_MAX + 1], struct bh_error *error);

/* Splits "a/b/c" into "a/b" (or ".") and a pointer to "c". */
const char *split_path(const char *path, char ret_parent[static BH_PATH_BYTES_MAX + 1]);
