/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store keeps beside a sealed layer: one record of fixed size with a checksum of its own, so that a torn or
 * foreign one is never believed. Written by the seal worker, read by layout.c.
 */
#pragma once

#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"

struct layer_record {
    struct bh_digest blob;    /* whose layer this is */
    struct bh_digest diff_id; /* of the uncompressed archive */
    uint64_t image_bytes;
    uint64_t content_bytes;
    uint64_t inodes;
};

#define LAYER_RECORD_BYTES 128

/* The whole record, checksum included. */
int layer_record_encode(const struct layer_record *record, uint8_t bytes[static LAYER_RECORD_BYTES],
                        struct bh_error *error);
/* DATA_LOSS for anything that layer_record_encode() did not write. */
int layer_record_decode(const uint8_t *bytes, size_t n_bytes, struct layer_record *ret_record, struct bh_error *error);
