/* SPDX-License-Identifier: Apache-2.0
 *
 * ExtractLayer: compressed bytes in, one EROFS image and the diff ID out. Called by service.c in a worker.
 */
#pragma once

#include "common/digest.h"
#include "input.h"

struct extract_result {
    struct bh_digest diff_id;
    uint64_t uncompressed_bytes, entries, image_bytes;
};

/* Reads `source_fd` to its end and writes `image_fd`. `progress` is told now and then how many compressed bytes were
 * read. On failure the image file is worthless. */
int extract_layer(int source_fd, int image_fd, const struct job_end *end,
                  void (*progress)(void *argument, uint64_t compressed_bytes), void *argument,
                  struct extract_result *ret_result, struct bh_error *error);
