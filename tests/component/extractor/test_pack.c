/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers on their way to a registry: what is packed unpacks to the same, always becomes the same, and what is fit
 * already is left alone.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/cleanup.h"
#include "job.h"

static struct extractor extractor;
static uint8_t *layer;

static void start(void)
{
    extractor_start(&extractor);
    layer = malloc(5000000);
    for (size_t i = 0; i < 5000000; i++) {
        layer[i] = (uint8_t)(i * (i >> 9) >> 5);
    }
}

static void stop(void)
{
    free(layer);
    extractor_stop(&extractor);
}

TestSuite(extractor_pack, .init = start, .fini = stop, .timeout = 120);

/* Sizes around the packer's block, and none at all. */
Test(extractor_pack, unpacks_to_the_same_and_is_always_the_same)
{
    static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 524288, 5000000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        Bulkhead__Compression compression;
        bool packed;
        uint8_t *first = NULL, *second = NULL;
        size_t n_first = 0, n_second = 0;
        bh_autoclose int fd = file_of(layer, sizes[i]);
        cr_assert_eq(extractor_pack(&extractor, fd, &first, &n_first, &compression, &packed), BH_OK);
        cr_expect(packed && compression == BULKHEAD__COMPRESSION__COMPRESSION_GZIP);
        cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
        cr_assert_eq(extractor_pack(&extractor, fd, &second, &n_second, &compression, &packed), BH_OK);
        cr_expect(n_first == n_second && memcmp(first, second, n_first) == 0, "%zu bytes", sizes[i]);
        uint8_t *unpacked = NULL;
        size_t n_unpacked = 0;
        bh_autoclose int again = file_of(first, n_first);
        cr_assert_eq(extractor_decompress(&extractor, again, 10000000, &unpacked, &n_unpacked), BH_OK);
        cr_expect(n_unpacked == sizes[i] && memcmp(unpacked, layer, n_unpacked) == 0, "%zu bytes", sizes[i]);
        free(first);
        free(second);
        free(unpacked);
    }
}

static void expect_left_alone(const void *bytes, size_t n_bytes, Bulkhead__Compression expected)
{
    Bulkhead__Compression compression;
    bool packed = true;
    uint8_t *written = NULL;
    size_t n_written = 0;
    bh_autoclose int fd = file_of(bytes, n_bytes);
    cr_assert_eq(extractor_pack(&extractor, fd, &written, &n_written, &compression, &packed), BH_OK);
    cr_expect_not(packed);
    cr_expect_eq(n_written, 0U);
    cr_expect_eq(compression, expected);
    free(written);
}

Test(extractor_pack, zstd_and_gzip_are_left_alone)
{
    static uint8_t packed[200000];
    size_t n_bytes = ZSTD_compress(packed, sizeof(packed), layer, 100000, 3);
    cr_assert_not(ZSTD_isError(n_bytes));
    expect_left_alone(packed, n_bytes, BULKHEAD__COMPRESSION__COMPRESSION_ZSTD);
    z_stream stream = {.next_in = layer, .avail_in = 100000, .next_out = packed, .avail_out = sizeof(packed)};
    cr_assert_eq(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    expect_left_alone(packed, stream.total_out, BULKHEAD__COMPRESSION__COMPRESSION_GZIP);
    (void)deflateEnd(&stream);
}
