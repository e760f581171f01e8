/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a layer's archive (tar in all its dialects, through libarchive and its tar reader alone) into a tree of names
 * and an image file of contents. The archive is hostile: every number is checked, and every refusal names the entry.
 */
#pragma once

#include "erofs_image.h"
#include "layer_tree.h"
#include "pipeline.h"

struct layer_reader_result {
    uint64_t entries;
    uint64_t content_bytes; /* sum of the regular files' sizes */
};

/* Reads the whole archive from `pipeline`, up to its end mark. `tick` is called after every entry and large piece. */
int layer_reader_run(struct pipeline *pipeline, struct layer_tree *tree, struct erofs_image *image,
                     int (*tick)(void *argument, struct bh_error *error), void *argument,
                     struct layer_reader_result *ret_result, struct bh_error *error);
