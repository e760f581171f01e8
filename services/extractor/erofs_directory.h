/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory's content in EROFS' form, one block after another, from the (sorted) children of a tree's directory.
 */
#pragma once

#include "common/erofs_format.h"
#include "layer_tree.h"

struct erofs_directory {
    const struct layer_inode *inode;
    const struct layer_entry *next; /* the child that comes next */
    bool dot_done, dot_dot_done;
};

void erofs_directory_begin(const struct layer_inode *inode, struct erofs_directory *ret_directory);

/* Fills the next block (`block` may be NULL: only the size is wanted; numbers must be known otherwise) and returns how
 * many bytes it uses; 0 at the end. */
uint32_t erofs_directory_block(struct erofs_directory *directory, uint8_t block[BH_EROFS_BLOCK_BYTES]);

/* Bytewise order of names, the shorter first where one begins with the other. */
int erofs_name_compare(const char *a, size_t a_bytes, const char *b, size_t b_bytes);
