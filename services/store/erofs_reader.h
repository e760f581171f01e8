/* SPDX-License-Identifier: Apache-2.0
 *
 * A window on an image: hands out pointers to ranges of a file, read with pread(2) in large pieces. For the parts of
 * the EROFS check, each of which goes through its part of the file from front to back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* For reading from front to back; fits the largest record (an inode with 64 KiB of attributes) wherever it begins. */
#define EROFS_WINDOW_WIDE_BYTES (128U * 1024U)
/* For looking at single blocks here and there. */
#define EROFS_WINDOW_BLOCK_BYTES 4096U

struct erofs_window {
    int fd;              /* borrowed */
    uint64_t file_bytes; /* what lies beyond is refused */
    uint64_t start;      /* of what is in the buffer */
    size_t n_bytes, room;
    uint8_t *buffer; /* of `room` bytes */
};

/* `fd` is borrowed for the window's life; `room` is one of the above. */
int erofs_window_open(struct erofs_window *window, int fd, uint64_t file_bytes, size_t room, struct bh_error *error);
void erofs_window_close(struct erofs_window *window);

/* Points *ret_bytes at `n_bytes` from `offset` on; valid until the next call. They must fit the window, counted from
 * the start of their first block. INVALID_ARGUMENT if they do not, or do not lie in the file. */
int erofs_window_get(struct erofs_window *window, uint64_t offset, size_t n_bytes, const uint8_t **ret_bytes,
                     struct bh_error *error);

/* Refuses anything but zeros in the range. */
int erofs_window_expect_zero(struct erofs_window *window, uint64_t offset, uint64_t n_bytes, struct bh_error *error);
