/* SPDX-License-Identifier: Apache-2.0
 *
 * The chunked transfer coding (RFC 9112 section 7.1) as a decoder that is pushed whatever bytes have arrived.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

enum http_chunked_state {
    HTTP_CHUNKED_SIZE = 0, /* the hex digits of a chunk's size */
    HTTP_CHUNKED_EXTENSION,
    HTTP_CHUNKED_DATA,
    HTTP_CHUNKED_DATA_END, /* the CRLF behind it */
    HTTP_CHUNKED_TRAILER,
    HTTP_CHUNKED_DONE,
};

/* All zero is its beginning. */
struct http_chunked {
    enum http_chunked_state state;
    uint64_t left;           /* bytes of this chunk still to come */
    unsigned int digits;     /* of the size, so far */
    unsigned int line_bytes; /* of the extension or trailer line, so far */
    bool after_cr;
};

/* Decodes from `input` into `output` (at most `output_bytes`). *ret_used input bytes were taken, *ret_written came out.
 * Nothing taken and nothing written means that it needs more input, or is done (state HTTP_CHUNKED_DONE). */
int http_chunked_decode(struct http_chunked *decoder, const char *input, size_t input_bytes, size_t *ret_used,
                        char *output, size_t output_bytes, size_t *ret_written, struct bh_error *error);
