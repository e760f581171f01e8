/* SPDX-License-Identifier: Apache-2.0
 *
 * See log_unpack.h.
 */
#include "log_unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "common/log_packed.h"

#define PIECE_BYTES (32U * 1024U)
#define GZIP_WINDOW (15 + 16) /* zlib's way to say: the largest window, with gzip's header */

struct log_unpack {
    int file;
    off_t offset;
    bool ended;
    z_stream stream;
    uint8_t input[PIECE_BYTES];
};

bool log_unpack_recognizes(int file, uint64_t *ret_inode)
{
    uint8_t head[BH_LOG_PACKED_HEAD_BYTES];
    ssize_t n = pread(file, head, sizeof(head), 0);
    return n > 0 && bh_log_packed_parse(head, (size_t)n, ret_inode);
}

int log_unpack_open(int file, struct log_unpack **ret_unpack, struct bh_error *error)
{
    struct log_unpack *unpack = calloc(1, sizeof(*unpack));
    if (!unpack || inflateInit2(&unpack->stream, GZIP_WINDOW) != Z_OK) {
        free(unpack);
        return bh_error_errno(error, ENOMEM, "read a compressed log");
    }
    unpack->file = file;
    *ret_unpack = unpack;
    return 0;
}

void log_unpack_close(struct log_unpack *unpack)
{
    if (unpack) {
        (void)inflateEnd(&unpack->stream);
        free(unpack);
    }
}

/* 1, or 0 at the file's end. */
static int read_piece(struct log_unpack *unpack, struct bh_error *error)
{
    ssize_t n = pread(unpack->file, unpack->input, sizeof(unpack->input), unpack->offset);
    if (n < 0) {
        return bh_error_errno(error, errno, "read a compressed log");
    }
    unpack->offset += n;
    unpack->stream.next_in = unpack->input;
    unpack->stream.avail_in = (uInt)n;
    return n > 0;
}

int log_unpack_read(struct log_unpack *unpack, void *buffer, size_t n_bytes, size_t *ret_bytes, struct bh_error *error)
{
    z_stream *stream = &unpack->stream;
    uInt room = n_bytes < UINT32_MAX ? (uInt)n_bytes : UINT32_MAX;
    stream->next_out = buffer;
    stream->avail_out = room;
    while (!unpack->ended && stream->avail_out == room) {
        int filled = stream->avail_in > 0 ? 1 : read_piece(unpack, error);
        if (filled < 0) {
            return -1;
        }
        int result = filled ? inflate(stream, Z_NO_FLUSH) : Z_BUF_ERROR;
        if (result != Z_OK && result != Z_STREAM_END && stream->avail_out == room) {
            return bh_error_set(error, BH_DATA_LOSS, "a compressed log is %s", filled ? "damaged" : "cut off");
        }
        unpack->ended = result == Z_STREAM_END;
    }
    *ret_bytes = room - stream->avail_out;
    return 0;
}
