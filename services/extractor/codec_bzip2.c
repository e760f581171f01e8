/* SPDX-License-Identifier: Apache-2.0
 *
 * bzip2 through libbz2. Several streams in a row are one, as bzip2(1) and pbzip2 write them.
 */
#include <bzlib.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"

struct bzip2 {
    bz_stream stream;
    bool in_stream;
};

static bool recognizes(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 4 && memcmp(bytes, "BZh", 3) == 0 && bytes[3] >= '1' && bytes[3] <= '9';
}

static void bzip2_close(void *state)
{
    struct bzip2 *bzip2 = state;
    if (bzip2) {
        if (bzip2->in_stream) {
            (void)BZ2_bzDecompressEnd(&bzip2->stream);
        }
        free(bzip2);
    }
}

static int bzip2_open(void **ret_state, struct bh_error *error)
{
    struct bzip2 *bzip2 = calloc(1, sizeof(*bzip2));
    if (!bzip2) {
        return bh_error_errno(error, ENOMEM, "allocate a bzip2 decoder");
    }
    *ret_state = bzip2;
    return 0;
}

static int begin_stream(struct bzip2 *bzip2, struct bh_error *error)
{
    bzip2->stream = (bz_stream){0};
    if (BZ2_bzDecompressInit(&bzip2->stream, 0, 0) != BZ_OK) {
        return bh_error_errno(error, ENOMEM, "decode bzip2");
    }
    bzip2->in_stream = true;
    return 0;
}

static int bzip2_read(void *state, struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes,
                      struct bh_error *error)
{
    struct bzip2 *bzip2 = state;
    *ret_bytes = 0;
    unsigned room = n_bytes > UINT32_MAX ? UINT32_MAX : (unsigned)n_bytes;
    while (*ret_bytes == 0) {
        if (input_want(input, 1, error) < 0) {
            return -1;
        }
        unsigned available = (unsigned)input_available(input);
        if (!bzip2->in_stream && available == 0) {
            return 0;
        }
        if (!bzip2->in_stream && begin_stream(bzip2, error) < 0) {
            return -1;
        }
        bzip2->stream.next_in = (char *)input->buffer + input->first;
        bzip2->stream.avail_in = available;
        bzip2->stream.next_out = buffer;
        bzip2->stream.avail_out = room;
        int result = BZ2_bzDecompress(&bzip2->stream);
        input_consume(input, available - bzip2->stream.avail_in);
        *ret_bytes = room - bzip2->stream.avail_out;
        if (result == BZ_STREAM_END) {
            (void)BZ2_bzDecompressEnd(&bzip2->stream);
            bzip2->in_stream = false;
        } else if (result == BZ_MEM_ERROR) {
            return bh_error_errno(error, ENOMEM, "decode bzip2");
        } else if (result != BZ_OK) {
            return bh_error_set(error, BH_DATA_LOSS, "the bzip2 stream is damaged");
        } else if (available == 0 && *ret_bytes == 0) {
            return bh_error_set(error, BH_DATA_LOSS, "the bzip2 stream ends in the middle");
        }
    }
    return 0;
}

const struct codec codec_bzip2 = {
    .name = "bzip2", .recognizes = recognizes, .open = bzip2_open, .read = bzip2_read, .close = bzip2_close};
