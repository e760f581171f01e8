/* SPDX-License-Identifier: Apache-2.0
 *
 * The end of an image: once all contents are written, the tree's directories and inodes follow, then the superblock.
 */
#pragma once

#include "erofs_image.h"
#include "layer_tree.h"

struct erofs_summary {
    uint64_t image_bytes;
    uint64_t inodes;
};

/* Numbers the tree's inodes, places them, writes everything and finishes the image. */
int erofs_layout_write(struct layer_tree *tree, struct erofs_image *image, struct erofs_summary *ret_summary,
                       struct bh_error *error);
