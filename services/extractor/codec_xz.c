/* SPDX-License-Identifier: Apache-2.0
 *
 * xz through liblzma, in this process: no helper program is ever looked for. Several streams in a row are one; the
 * memory that a dictionary may cost is bounded.
 */
#include <lzma.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "bounds.h"

struct xz {
    lzma_stream stream;
    bool ended;
};

static bool recognizes(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 6 && memcmp(bytes, "\3757zXZ\0", 6) == 0;
}

static void xz_close(void *state)
{
    struct xz *xz = state;
    if (xz) {
        lzma_end(&xz->stream);
        free(xz);
    }
}

static int xz_open(void **ret_state, struct bh_error *error)
{
    struct xz *xz = calloc(1, sizeof(*xz));
    if (!xz || lzma_stream_decoder(&xz->stream, EXTRACTOR_XZ_MEMORY_BYTES, LZMA_CONCATENATED) != LZMA_OK) {
        xz_close(xz);
        return bh_error_errno(error, ENOMEM, "allocate an xz decoder");
    }
    *ret_state = xz;
    return 0;
}

static int fail(const struct xz *xz, lzma_ret result, struct bh_error *error)
{
    switch (result) {
    case LZMA_MEMLIMIT_ERROR:
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "the xz stream wants %llu MiB of memory to be decoded, %llu MiB are allowed",
                            (unsigned long long)(lzma_memusage(&xz->stream) / BH_MIB),
                            (unsigned long long)(EXTRACTOR_XZ_MEMORY_BYTES / BH_MIB));
    case LZMA_MEM_ERROR:
        return bh_error_errno(error, ENOMEM, "decode xz");
    case LZMA_BUF_ERROR:
        return bh_error_set(error, BH_DATA_LOSS, "the xz stream ends in the middle");
    case LZMA_OPTIONS_ERROR:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the xz stream uses options that liblzma does not know");
    default:
        return bh_error_set(error, BH_DATA_LOSS, "the xz stream is damaged");
    }
}

static int xz_read(void *state, struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes,
                   struct bh_error *error)
{
    struct xz *xz = state;
    *ret_bytes = 0;
    while (*ret_bytes == 0 && !xz->ended) {
        if (input_want(input, 1, error) < 0) {
            return -1;
        }
        size_t available = input_available(input);
        xz->stream.next_in = input_bytes(input);
        xz->stream.avail_in = available;
        xz->stream.next_out = buffer;
        xz->stream.avail_out = n_bytes;
        lzma_ret result = lzma_code(&xz->stream, available == 0 ? LZMA_FINISH : LZMA_RUN);
        input_consume(input, available - xz->stream.avail_in);
        *ret_bytes = n_bytes - xz->stream.avail_out;
        if (result == LZMA_STREAM_END) {
            xz->ended = true;
        } else if (result != LZMA_OK) {
            return fail(xz, result, error);
        }
    }
    return 0;
}

const struct codec codec_xz = {
    .name = "xz", .recognizes = recognizes, .open = xz_open, .read = xz_read, .close = xz_close};
