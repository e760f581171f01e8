/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer's record is believed only as it was written.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "layer_record.h"

static const struct layer_record sample = {
    .blob = {{1, 2, 3}}, .diff_id = {{4, 5, 6}}, .image_bytes = 8192, .content_bytes = 77, .inodes = 3};

Test(layer_record, comes_back_as_it_was)
{
    uint8_t bytes[LAYER_RECORD_BYTES];
    struct layer_record record;
    struct bh_error error;
    cr_assert(layer_record_encode(&sample, bytes, &error) == 0);
    cr_assert(layer_record_decode(bytes, sizeof(bytes), &record, &error) == 0);
    cr_assert(bh_digest_equal(&record.blob, &sample.blob));
    cr_assert(bh_digest_equal(&record.diff_id, &sample.diff_id));
    cr_assert(eq(u64, record.image_bytes, 8192));
    cr_assert(eq(u64, record.content_bytes, 77));
    cr_assert(eq(u64, record.inodes, 3));
}

Test(layer_record, refuses_every_changed_byte)
{
    uint8_t bytes[LAYER_RECORD_BYTES];
    struct layer_record record;
    struct bh_error error;
    cr_assert(layer_record_encode(&sample, bytes, &error) == 0);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] ^= 0x40;
        cr_assert(layer_record_decode(bytes, sizeof(bytes), &record, &error) < 0, "byte %zu", i);
        cr_assert(eq(int, error.code, BH_DATA_LOSS));
        bytes[i] ^= 0x40;
    }
}

Test(layer_record, refuses_other_lengths)
{
    uint8_t bytes[LAYER_RECORD_BYTES + 1] = {0};
    struct layer_record record;
    struct bh_error error;
    cr_assert(layer_record_encode(&sample, bytes, &error) == 0);
    cr_assert(layer_record_decode(bytes, sizeof(bytes), &record, &error) < 0);
    cr_assert(layer_record_decode(bytes, LAYER_RECORD_BYTES - 1, &record, &error) < 0);
    cr_assert(layer_record_decode(bytes, 0, &record, &error) < 0);
}
