/* SPDX-License-Identifier: Apache-2.0
 *
 * What decompress.c expects of a decoder: one const struct each. A decoder sees hostile bytes; it bounds its memory,
 * and tells a truncated stream (DATA_LOSS) from a clean end.
 */
#pragma once

#include "input.h"

struct codec {
    const char *name;
    /* Is this how such a stream begins? `n_bytes` may be anything from 0 to 6. */
    bool (*recognizes)(const uint8_t *bytes, size_t n_bytes);
    int (*open)(void **ret_state, struct bh_error *error);
    /* Decodes at least one byte into `buffer`; *ret_bytes 0 is the clean end of the whole stream. */
    int (*read)(void *state, struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes,
                struct bh_error *error);
    void (*close)(void *state);
};

extern const struct codec codec_gzip, codec_zstd, codec_xz, codec_bzip2;
