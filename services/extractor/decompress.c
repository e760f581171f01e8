/* SPDX-License-Identifier: Apache-2.0
 *
 * Chooses a decoder by magic number, never by what somebody says the bytes are, and bounds what comes out of it.
 */
#include "decompress.h"

#include <errno.h>

#include "codec.h"
#include "common/io.h"
#include "bounds.h"

static const struct codec *const codecs[] = {&codec_gzip, &codec_zstd, &codec_xz, &codec_bzip2};

/* NULL: plain. */
static const struct codec *recognize(const uint8_t *bytes, size_t n_bytes)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (codecs[i]->recognizes(bytes, n_bytes)) {
            return codecs[i];
        }
    }
    return NULL;
}

const char *compression_name(const uint8_t *bytes, size_t n_bytes)
{
    const struct codec *codec = recognize(bytes, n_bytes);
    return codec ? codec->name : "plain";
}

struct decompressor {
    struct input *input;
    const struct codec *codec; /* NULL: plain */
    void *state;
    uint64_t produced_bytes, max_bytes;
    bool ended;
};

int decompressor_open(struct input *input, uint64_t max_bytes, struct decompressor **ret_decompressor,
                      struct bh_error *error)
{
    if (input_want(input, COMPRESSION_MAGIC_BYTES, error) < 0) {
        return -1;
    }
    bh_autodecompressor struct decompressor *decompressor = calloc(1, sizeof(*decompressor));
    if (!decompressor) {
        return bh_error_errno(error, ENOMEM, "allocate a decompressor");
    }
    decompressor->input = input;
    decompressor->max_bytes = max_bytes;
    decompressor->codec = recognize(input_bytes(input), input_available(input));
    if (decompressor->codec && decompressor->codec->open(&decompressor->state, error) < 0) {
        return -1;
    }
    *ret_decompressor = bh_steal_pointer(&decompressor);
    return 0;
}

void decompressor_close(struct decompressor **decompressor)
{
    if (*decompressor) {
        if ((*decompressor)->state) {
            (*decompressor)->codec->close((*decompressor)->state);
        }
        free(*decompressor);
    }
}

const char *decompressor_name(const struct decompressor *decompressor)
{
    return decompressor->codec ? decompressor->codec->name : "plain";
}

bool decompressor_is_plain(const struct decompressor *decompressor)
{
    return !decompressor->codec;
}

/* Refuses output beyond the ceiling, and output that honest data would not give from this little input. */
static int check_bounds(const struct decompressor *decompressor, struct bh_error *error)
{
    uint64_t produced = decompressor->produced_bytes;
    if (produced > decompressor->max_bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "there are more than %llu bytes when decompressed",
                            (unsigned long long)decompressor->max_bytes);
    }
    uint64_t consumed = atomic_load_explicit(&decompressor->input->consumed_bytes, memory_order_relaxed);
    if (decompressor->codec && produced > EXTRACTOR_RATIO_FLOOR_BYTES && produced / BH_LAYER_RATIO_MAX > consumed) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "%llu bytes of %s grew to %llu: more than %llu times as much is taken for a bomb",
                            (unsigned long long)consumed, decompressor_name(decompressor), (unsigned long long)produced,
                            BH_LAYER_RATIO_MAX);
    }
    return 0;
}

int decompressor_read(struct decompressor *decompressor, void *buffer, size_t n_bytes, size_t *ret_bytes,
                      struct bh_error *error)
{
    size_t filled = 0;
    while (filled < n_bytes && !decompressor->ended) {
        size_t got;
        uint8_t *target = (uint8_t *)buffer + filled;
        int result = decompressor->codec ? decompressor->codec->read(decompressor->state, decompressor->input, target,
                                                                     n_bytes - filled, &got, error)
                                         : input_read(decompressor->input, target, n_bytes - filled, &got, error);
        if (result < 0) {
            return -1;
        }
        decompressor->ended = got == 0;
        filled += got;
        decompressor->produced_bytes += got;
        if (check_bounds(decompressor, error) < 0) {
            return -1;
        }
    }
    *ret_bytes = filled;
    return 0;
}

int decompress_to(struct decompressor *decompressor, int fd, uint64_t *ret_bytes, struct bh_error *error)
{
    bh_autofree uint8_t *buffer = malloc(EXTRACTOR_BLOCK_BYTES);
    if (!buffer) {
        return bh_error_errno(error, ENOMEM, "allocate a buffer");
    }
    for (;;) {
        size_t got;
        if (decompressor_read(decompressor, buffer, EXTRACTOR_BLOCK_BYTES, &got, error) < 0) {
            return -1;
        }
        if (got == 0) {
            *ret_bytes = decompressor->produced_bytes;
            return 0;
        }
        if (bh_write_all(fd, buffer, got, "the decompressed archive", error) < 0) {
            return -1;
        }
    }
}
