/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns a compressed stream into plain bytes, whatever it is compressed with, and stops bombs: by absolute size and
 * by ratio.
 */
#pragma once

#include "common/cleanup.h"
#include "input.h"

#define COMPRESSION_MAGIC_BYTES 6

struct decompressor;

/* What a stream that begins with these bytes is: "gzip", "zstd", "xz", "bzip2" or "plain". COMPRESSION_MAGIC_BYTES are
 * enough, fewer if it has no more. */
const char *compression_name(const uint8_t *bytes, size_t n_bytes);

/* Looks at the first bytes and opens the decoder that fits; what none recognizes is passed on as it is. `input` is
 * borrowed. More than `max_bytes` of output are RESOURCE_EXHAUSTED. */
int decompressor_open(struct input *input, uint64_t max_bytes, struct decompressor **ret_decompressor,
                      struct bh_error *error);
void decompressor_close(struct decompressor **decompressor);
#define bh_autodecompressor bh_cleanup(decompressor_close)

/* "gzip", "zstd", "xz", "bzip2" or "plain". */
const char *decompressor_name(const struct decompressor *decompressor);
bool decompressor_is_plain(const struct decompressor *decompressor);

/* Fills `buffer` unless the stream ends first: *ret_bytes tells. */
int decompressor_read(struct decompressor *decompressor, void *buffer, size_t n_bytes, size_t *ret_bytes,
                      struct bh_error *error);

/* Decompresses everything to a pipe or file. *ret_bytes: how much that was. */
int decompress_to(struct decompressor *decompressor, int fd, uint64_t *ret_bytes, struct bh_error *error);
