/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's framing of several streams on one connection: {stream, 0, 0, 0, size as 4 bytes big-endian} before each
 * piece.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD_BYTES 8

static inline void frame_head(unsigned char head[static FRAME_HEAD_BYTES], unsigned stream, size_t n_bytes)
{
    head[0] = (unsigned char)stream;
    head[1] = head[2] = head[3] = 0;
    head[4] = (unsigned char)(n_bytes >> 24 & 0xff);
    head[5] = (unsigned char)(n_bytes >> 16 & 0xff);
    head[6] = (unsigned char)(n_bytes >> 8 & 0xff);
    head[7] = (unsigned char)(n_bytes & 0xff);
}

/* The media type of a stream: framed ones have a name of their own since API 1.42. */
static inline const char *stream_media_type(unsigned version, int tty)
{
    return version >= 42 && !tty ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream";
}
