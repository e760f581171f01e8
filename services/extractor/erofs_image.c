/* SPDX-License-Identifier: Apache-2.0
 *
 * See erofs_image.h. Offsets are positions in the image file; the caller has bounded what can be written.
 */
#include "erofs_image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/erofs_format.h"
#include "bounds.h"

int erofs_image_open(int fd, struct erofs_image *ret_image, struct bh_error *error)
{
    if (ftruncate(fd, 0) < 0) {
        return bh_error_errno(error, errno, "empty the image file");
    }
    uint8_t *buffer = malloc(EXTRACTOR_WRITE_BYTES);
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "allocate a write buffer");
    }
    *ret_image = (struct erofs_image){.fd = fd, .buffer = buffer, .written = BH_EROFS_BLOCK_BYTES};
    return 0;
}

void erofs_image_close(struct erofs_image *image)
{
    free(image->buffer);
    image->buffer = NULL;
}

static int write_at(int fd, const uint8_t *bytes, size_t n_bytes, uint64_t offset, struct bh_error *error)
{
    while (n_bytes > 0) {
        ssize_t wrote = pwrite(fd, bytes, n_bytes, (off_t)offset);
        if (wrote < 0 && errno != EINTR) {
            return bh_error_errno(error, errno, "write the layer's image");
        }
        if (wrote > 0) {
            bytes += wrote;
            n_bytes -= (size_t)wrote;
            offset += (uint64_t)wrote;
        }
    }
    return 0;
}

static bool is_zero(const uint8_t *bytes, size_t n_bytes)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, n_bytes - 1) == 0;
}

/* Writes bytes to their place, leaving out stretches that are zero: the file is new, so they read as zeros anyway. */
static int write_sparsely(struct erofs_image *image, const uint8_t *bytes, size_t n_bytes, struct bh_error *error)
{
    size_t begin = 0;
    for (size_t at = 0; at < n_bytes;) {
        size_t piece = n_bytes - at < EXTRACTOR_HOLE_BYTES ? n_bytes - at : EXTRACTOR_HOLE_BYTES;
        if (piece == EXTRACTOR_HOLE_BYTES && is_zero(bytes + at, piece)) {
            if (write_at(image->fd, bytes + begin, at - begin, image->written + begin, error) < 0) {
                return -1;
            }
            begin = at + piece;
        }
        at += piece;
    }
    if (write_at(image->fd, bytes + begin, n_bytes - begin, image->written + begin, error) < 0) {
        return -1;
    }
    image->written += n_bytes;
    return 0;
}

static int flush(struct erofs_image *image, struct bh_error *error)
{
    size_t n_bytes = image->buffered;
    image->buffered = 0;
    return write_sparsely(image, image->buffer, n_bytes, error);
}

int erofs_image_write(struct erofs_image *image, const void *bytes, size_t n_bytes, struct bh_error *error)
{
    if (n_bytes >= EXTRACTOR_BLOCK_BYTES / 2) { /* large enough for a write of its own: not copied */
        return flush(image, error) < 0 ? -1 : write_sparsely(image, bytes, n_bytes, error);
    }
    const uint8_t *at = bytes;
    while (n_bytes > 0) {
        size_t room = EXTRACTOR_WRITE_BYTES - image->buffered;
        size_t piece = n_bytes < room ? n_bytes : room;
        memcpy(image->buffer + image->buffered, at, piece);
        image->buffered += piece;
        at += piece;
        n_bytes -= piece;
        if (image->buffered == EXTRACTOR_WRITE_BYTES && flush(image, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int erofs_image_zeros(struct erofs_image *image, uint64_t n_bytes, struct bh_error *error)
{
    static const uint8_t zeros[BH_EROFS_BLOCK_BYTES];
    if (n_bytes >= EXTRACTOR_HOLE_BYTES) {
        if (flush(image, error) < 0) {
            return -1;
        }
        image->written += n_bytes;
        return 0;
    }
    while (n_bytes > 0) {
        size_t piece = n_bytes < sizeof(zeros) ? (size_t)n_bytes : sizeof(zeros);
        if (erofs_image_write(image, zeros, piece, error) < 0) {
            return -1;
        }
        n_bytes -= piece;
    }
    return 0;
}

int erofs_image_align(struct erofs_image *image, uint64_t alignment, struct bh_error *error)
{
    return erofs_image_zeros(image, -erofs_image_offset(image) & (alignment - 1), error);
}

int erofs_image_finish(struct erofs_image *image, const void *super, size_t super_bytes, struct bh_error *error)
{
    if (flush(image, error) < 0) {
        return -1;
    }
    if (ftruncate(image->fd, (off_t)image->written) < 0) {
        return bh_error_errno(error, errno, "set the size of the layer's image");
    }
    return write_at(image->fd, super, super_bytes, BH_EROFS_SUPER_OFFSET, error);
}
