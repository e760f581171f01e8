/* SPDX-License-Identifier: Apache-2.0
 *
 * Who owns which block before a layer image's metadata: each belongs to one inode at most, contents of files lie before
 * blocks of directories and symlinks. For erofs_check.c.
 */
#pragma once

#include "erofs_inode.h"

struct erofs_blocks {
    uint64_t count;           /* blocks before the metadata, the superblock's included */
    uint8_t *owned;           /* a bit for each */
    uint64_t content_end;     /* of regular files */
    uint64_t directory_begin; /* of directories and symlinks */
};

int erofs_blocks_open(struct erofs_blocks *blocks, uint64_t count, struct bh_error *error);
void erofs_blocks_close(struct erofs_blocks *blocks);

/* How many blocks hold so many bytes. */
uint64_t erofs_blocks_of(uint64_t n_bytes);

/* Takes `n_blocks` from record->u on for this inode; INVALID_ARGUMENT if they are not there to take. */
int erofs_blocks_take(struct erofs_blocks *blocks, const struct erofs_record *record, uint64_t n_blocks,
                      struct bh_error *error);

/* After the last inode: the two areas must not be mixed. */
int erofs_blocks_check_end(const struct erofs_blocks *blocks, struct bh_error *error);
