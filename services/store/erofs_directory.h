/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules for one block of a directory in a layer image: common/erofs_format.h, "Directories". Called by
 * erofs_check.c, which reads the blocks and judges what each name points at; this part judges the names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* What has been seen of a directory so far, over all its blocks. */
struct erofs_directory {
    uint8_t last_name[255];
    size_t last_name_bytes; /* 0: none yet */
    size_t free_bytes;      /* left unused at the end of the block before */
    bool dot, dot_dot;
};

/* One entry of a directory, checked. */
struct erofs_name {
    const uint8_t *bytes;
    size_t n_bytes;
    uint64_t nid;
    uint8_t file_type;
};

/* Called for every entry but "." and "..", in order. */
typedef int (*erofs_name_visit)(const struct erofs_name *name, void *argument, struct bh_error *error);

/* Checks one block of `n_bytes` (4096 for all but the last, `last`); `nid` and `parent_nid` are what "." and ".." must
 * name. INVALID_ARGUMENT says what is wrong; the caller adds which directory. */
int erofs_directory_check_block(struct erofs_directory *directory, const uint8_t *block, size_t n_bytes, bool last,
                                uint64_t nid, uint64_t parent_nid, erofs_name_visit visit, void *argument,
                                struct bh_error *error);

/* After the last block: "." and ".." must both have been there. */
int erofs_directory_check_end(const struct erofs_directory *directory, struct bh_error *error);
