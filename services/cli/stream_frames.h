/* SPDX-License-Identifier: Apache-2.0
 *
 * The frames in which the API carries stdout and stderr over one stream (attach and logs without a tty): eight bytes of
 * header (which stream, 0, 0, 0, length as 32 bits big-endian), then the bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* All zero is its beginning. */
struct stream_frames {
    unsigned char header[8];
    size_t n_header;
    uint32_t left; /* bytes of this frame still to come */
};

/* Splits what has arrived; `write` gets each piece with the descriptor it belongs on (1 or 2). */
int stream_frames_decode(struct stream_frames *frames, const char *bytes, size_t n_bytes,
                         int (*write)(void *argument, int fd, const char *bytes, size_t n_bytes,
                                      struct bh_error *error),
                         void *argument, struct bh_error *error);
