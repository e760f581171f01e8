/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows on an image; see erofs_reader.h.
 */
#include "erofs_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/erofs_format.h"

int erofs_window_open(struct erofs_window *window, int fd, uint64_t file_bytes, size_t room, struct bh_error *error)
{
    uint8_t *buffer = malloc(room);
    if (!buffer) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a window on a layer image");
    }
    *window = (struct erofs_window){.fd = fd, .file_bytes = file_bytes, .room = room, .buffer = buffer};
    return 0;
}

void erofs_window_close(struct erofs_window *window)
{
    free(window->buffer);
    window->buffer = NULL;
}

static int fill(struct erofs_window *window, uint64_t offset, struct bh_error *error)
{
    window->start = offset - offset % BH_EROFS_BLOCK_BYTES;
    window->n_bytes = 0;
    uint64_t left = window->file_bytes - window->start;
    size_t wanted = left < window->room ? (size_t)left : window->room;
    while (window->n_bytes < wanted) {
        ssize_t n = pread(window->fd, window->buffer + window->n_bytes, wanted - window->n_bytes,
                          (off_t)(window->start + window->n_bytes));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return bh_error_errno(error, errno, "read a layer image at byte %" PRIu64, window->start + window->n_bytes);
        }
        if (n == 0) {
            return bh_error_set(error, BH_DATA_LOSS, "a layer image became shorter while it was read");
        }
        window->n_bytes += (size_t)n;
    }
    return 0;
}

int erofs_window_get(struct erofs_window *window, uint64_t offset, size_t n_bytes, const uint8_t **ret_bytes,
                     struct bh_error *error)
{
    uint64_t end = 0;
    if (n_bytes > window->room - offset % BH_EROFS_BLOCK_BYTES || __builtin_add_overflow(offset, n_bytes, &end) ||
        end > window->file_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "layer image: %zu bytes at byte %" PRIu64 " do not lie within its %" PRIu64 " bytes",
                            n_bytes, offset, window->file_bytes);
    }
    if (offset < window->start || end > window->start + window->n_bytes) {
        if (fill(window, offset, error) < 0) {
            window->n_bytes = 0;
            return -1;
        }
    }
    *ret_bytes = window->buffer + (offset - window->start);
    return 0;
}

int erofs_window_expect_zero(struct erofs_window *window, uint64_t offset, uint64_t n_bytes, struct bh_error *error)
{
    while (n_bytes > 0) {
        size_t piece = n_bytes < BH_EROFS_BLOCK_BYTES ? (size_t)n_bytes : BH_EROFS_BLOCK_BYTES;
        const uint8_t *bytes = NULL;
        if (erofs_window_get(window, offset, piece, &bytes, error) < 0) {
            return -1;
        }
        for (size_t i = 0; i < piece; i++) {
            if (bytes[i] != 0) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "layer image: byte %" PRIu64 " is %u, must be 0",
                                    offset + i, bytes[i]);
            }
        }
        offset += piece;
        n_bytes -= piece;
    }
    return 0;
}
