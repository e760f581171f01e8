/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing an image file from front to back: file contents as they come, then whatever the layout adds. Small pieces
 * are gathered into large writes, and long runs of zeros are left as holes.
 */
#pragma once

#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"

struct erofs_image {
    int fd; /* borrowed */
    uint8_t *buffer;
    size_t buffered;
    uint64_t written; /* file offset of the buffer's first byte */
};

/* Starts an image in an empty file (what it holds is cut off), behind the superblock's block. */
int erofs_image_open(int fd, struct erofs_image *ret_image, struct bh_error *error);
void erofs_image_close(struct erofs_image *image);
#define bh_autoimage bh_cleanup(erofs_image_close)

static inline uint64_t erofs_image_offset(const struct erofs_image *image)
{
    return image->written + image->buffered;
}

int erofs_image_write(struct erofs_image *image, const void *bytes, size_t n_bytes, struct bh_error *error);
/* `n_bytes` zeros, as a hole where that pays. */
int erofs_image_zeros(struct erofs_image *image, uint64_t n_bytes, struct bh_error *error);
/* Zeros up to the next multiple of `alignment` (a power of two). */
int erofs_image_align(struct erofs_image *image, uint64_t alignment, struct bh_error *error);

/* Writes out what is buffered, sets the file's size, and puts `super` (128 bytes) into its place. */
int erofs_image_finish(struct erofs_image *image, const void *super, size_t super_bytes, struct bh_error *error);
