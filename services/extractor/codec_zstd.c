/* SPDX-License-Identifier: Apache-2.0
 *
 * Zstandard (RFC 8878): frames in a row, skippable ones included (zstd:chunked and estargz put tables of contents
 * there). The window is bounded, whatever the frame asks for.
 */
#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "codec.h"
#include "bounds.h"

struct zstd {
    ZSTD_DCtx *context;
    bool in_frame;
};

static bool recognizes(const uint8_t *bytes, size_t n_bytes)
{
    if (n_bytes < 4) {
        return false;
    }
    bool frame = bytes[0] == 0x28 && bytes[1] == 0xb5 && bytes[2] == 0x2f && bytes[3] == 0xfd;
    bool skippable = (bytes[0] & 0xf0) == 0x50 && bytes[1] == 0x2a && bytes[2] == 0x4d && bytes[3] == 0x18;
    return frame || skippable;
}

static void zstd_close(void *state)
{
    struct zstd *zstd = state;
    if (zstd) {
        (void)ZSTD_freeDCtx(zstd->context);
        free(zstd);
    }
}

static int zstd_open(void **ret_state, struct bh_error *error)
{
    struct zstd *zstd = calloc(1, sizeof(*zstd));
    if (!zstd || !(zstd->context = ZSTD_createDCtx()) ||
        ZSTD_isError(ZSTD_DCtx_setParameter(zstd->context, ZSTD_d_windowLogMax, EXTRACTOR_ZSTD_WINDOW_LOG))) {
        zstd_close(zstd);
        return bh_error_errno(error, ENOMEM, "allocate a zstd decoder");
    }
    *ret_state = zstd;
    return 0;
}

static int fail(size_t result, struct bh_error *error)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the zstd stream wants a window of more than %d MiB",
                            1 << (EXTRACTOR_ZSTD_WINDOW_LOG - 20));
    case ZSTD_error_memory_allocation:
        return bh_error_errno(error, ENOMEM, "decode zstd");
    default:
        return bh_error_set(error, BH_DATA_LOSS, "the zstd stream is damaged: %s", ZSTD_getErrorName(result));
    }
}

static int zstd_read(void *state, struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes,
                     struct bh_error *error)
{
    struct zstd *zstd = state;
    *ret_bytes = 0;
    for (;;) {
        if (input_want(input, 1, error) < 0) {
            return -1;
        }
        bool exhausted = input_available(input) == 0;
        if (exhausted && !zstd->in_frame) {
            return 0;
        }
        ZSTD_inBuffer in = {input_bytes(input), input_available(input), 0};
        ZSTD_outBuffer out = {buffer, n_bytes, 0};
        size_t result = ZSTD_decompressStream(zstd->context, &out, &in);
        if (ZSTD_isError(result)) {
            return fail(result, error);
        }
        input_consume(input, in.pos);
        zstd->in_frame = result != 0;
        if (out.pos > 0) {
            *ret_bytes = out.pos;
            return 0;
        }
        if (exhausted && zstd->in_frame) {
            return bh_error_set(error, BH_DATA_LOSS, "the zstd stream ends in the middle");
        }
    }
}

const struct codec codec_zstd = {
    .name = "zstd", .recognizes = recognizes, .open = zstd_open, .read = zstd_read, .close = zstd_close};
