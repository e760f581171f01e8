/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoder of the API's stream frames. Pure but for the writer it is handed.
 */
#include "stream_frames.h"

#include <string.h>

static int begin_frame(struct stream_frames *frames, struct bh_error *error)
{
    const unsigned char *header = frames->header;
    if (header[0] > 3 || header[1] || header[2] || header[3]) {
        return bh_error_set(error, BH_INTERNAL, "the engine's stream has a frame of unknown type %u", header[0]);
    }
    frames->left = (uint32_t)header[4] << 24 | (uint32_t)header[5] << 16 | (uint32_t)header[6] << 8 | header[7];
    frames->n_header = 0;
    return 0;
}

int stream_frames_decode(struct stream_frames *frames, const char *bytes, size_t n_bytes,
                         int (*write)(void *argument, int fd, const char *bytes, size_t n_bytes,
                                      struct bh_error *error),
                         void *argument, struct bh_error *error)
{
    while (n_bytes > 0) {
        if (frames->left > 0) {
            size_t n_piece = n_bytes < frames->left ? n_bytes : frames->left;
            int fd = frames->header[0] >= 2 ? 2 : 1; /* 3 carries the engine's own errors */
            if (write(argument, fd, bytes, n_piece, error) < 0) {
                return -1;
            }
            frames->left -= (uint32_t)n_piece;
            bytes += n_piece;
            n_bytes -= n_piece;
            continue;
        }
        size_t wanted = sizeof(frames->header) - frames->n_header;
        size_t n_copy = n_bytes < wanted ? n_bytes : wanted;
        memcpy(frames->header + frames->n_header, bytes, n_copy);
        frames->n_header += n_copy;
        bytes += n_copy;
        n_bytes -= n_copy;
        if (frames->n_header == sizeof(frames->header) && begin_frame(frames, error) < 0) {
            return -1;
        }
    }
    return 0;
}
