/* SPDX-License-Identifier: Apache-2.0
 *
 * The chunked transfer coding. Pure: a state machine over the bytes that have arrived, with a bound on everything
 * that is not data.
 */
#include "http_chunked.h"

#include <string.h>

#define LINE_BYTES_MAX 4096 /* an extension or a trailer field; the engine sends neither */
#define DIGITS_MAX     15   /* so that a size never overflows */

static int refuse(struct bh_error *error, const char *what)
{
    return bh_error_set(error, BH_INTERNAL, "the engine's answer is not well chunked: %s", what);
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One byte of a size line, extension or trailer; LF ends each, and must follow CR. */
static int take_line_byte(struct http_chunked *decoder, char byte, struct bh_error *error)
{
    if (decoder->after_cr && byte != '\n') {
        return refuse(error, "a bare CR");
    }
    if (byte == '\r') {
        decoder->after_cr = true;
        return 0;
    }
    if (byte != '\n') {
        int value = decoder->state == HTTP_CHUNKED_SIZE ? hex_value(byte) : 0;
        if (value >= 0 && decoder->state == HTTP_CHUNKED_SIZE) {
            decoder->left = decoder->left * 16 + (uint64_t)value;
            return ++decoder->digits > DIGITS_MAX ? refuse(error, "a chunk's size is too large") : 0;
        }
        if (decoder->state == HTTP_CHUNKED_SIZE && (byte != ';' || decoder->digits == 0)) {
            return refuse(error, "a chunk's size is not hexadecimal");
        }
        if (decoder->state == HTTP_CHUNKED_SIZE) {
            decoder->state = HTTP_CHUNKED_EXTENSION;
        }
        return ++decoder->line_bytes > LINE_BYTES_MAX ? refuse(error, "a line is too long") : 0;
    }
    if (!decoder->after_cr) {
        return refuse(error, "a bare LF");
    }
    decoder->after_cr = false;
    if (decoder->state == HTTP_CHUNKED_TRAILER) {
        decoder->state = decoder->line_bytes == 0 ? HTTP_CHUNKED_DONE : HTTP_CHUNKED_TRAILER;
    } else if (decoder->state == HTTP_CHUNKED_DATA_END) {
        decoder->state = HTTP_CHUNKED_SIZE;
    } else if (decoder->digits == 0) {
        return refuse(error, "a chunk without a size");
    } else {
        decoder->state = decoder->left > 0 ? HTTP_CHUNKED_DATA : HTTP_CHUNKED_TRAILER;
    }
    decoder->digits = 0;
    decoder->line_bytes = 0;
    return 0;
}

int http_chunked_decode(struct http_chunked *decoder, const char *input, size_t input_bytes, size_t *ret_used,
                        char *output, size_t output_bytes, size_t *ret_written, struct bh_error *error)
{
    size_t used = 0, written = 0;
    while (used < input_bytes && decoder->state != HTTP_CHUNKED_DONE) {
        if (decoder->state != HTTP_CHUNKED_DATA) {
            bool data_end = decoder->state == HTTP_CHUNKED_DATA_END;
            if (data_end && input[used] != '\r' && input[used] != '\n') {
                return refuse(error, "a chunk is longer than its size");
            }
            if (take_line_byte(decoder, input[used++], error) < 0) {
                return -1;
            }
            continue;
        }
        size_t n_copy = input_bytes - used;
        n_copy = n_copy > decoder->left ? (size_t)decoder->left : n_copy;
        n_copy = n_copy > output_bytes - written ? output_bytes - written : n_copy;
        if (n_copy == 0) {
            break; /* the output is full */
        }
        memcpy(output + written, input + used, n_copy);
        used += n_copy;
        written += n_copy;
        decoder->left -= n_copy;
        if (decoder->left == 0) {
            decoder->state = HTTP_CHUNKED_DATA_END;
        }
    }
    *ret_used = used;
    *ret_written = written;
    return 0;
}
