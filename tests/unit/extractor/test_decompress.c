/* SPDX-License-Identifier: Apache-2.0
 *
 * The choice of a decoder by its magic, and plain streams through the pipeline.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pipeline.h"

static const struct job_end no_end = {.channel_fd = -1, .stop_fd = -1};

static int file_of(const void *bytes, size_t n_bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    cr_assert_eq(write(fd, bytes, n_bytes), (ssize_t)n_bytes);
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

Test(decompress, magic_decides)
{
    static const struct {
        const char *bytes, *name;
    } cases[] = {
        {"\x1f\x8b\x08___", "gzip"},
        {"\x28\xb5\x2f\xfd__", "zstd"},
        {"\x50\x2a\x4d\x18__", "zstd"},
        {"\3757zXZ\0", "xz"},
        {"BZh9__", "bzip2"},
        {"BZh0__", "plain"},
        {"ustar_", "plain"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bh_autoclose int fd = file_of(cases[i].bytes, 6);
        bh_autoinput struct input input = {0};
        bh_autodecompressor struct decompressor *decompressor = NULL;
        struct bh_error error = {0};
        cr_assert_eq(input_open(fd, &no_end, &input, &error), 0);
        cr_assert_eq(decompressor_open(&input, 100, &decompressor, &error), 0);
        cr_assert_str_eq(decompressor_name(decompressor), cases[i].name);
    }
}

Test(decompress, the_pipeline_hands_on_every_byte_and_hashes_it)
{
    size_t n_bytes = 9 * 1024 * 1024 + 17;
    uint8_t *bytes = malloc(n_bytes);
    for (size_t i = 0; i < n_bytes; i++) {
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    bh_autoclose int fd = file_of(bytes, n_bytes);
    bh_autoclose int stop_fd = eventfd(0, EFD_CLOEXEC);
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    bh_autopipeline struct pipeline *pipeline = NULL;
    struct bh_error error = {0};
    cr_assert_eq(input_open(fd, &no_end, &input, &error), 0);
    cr_assert_eq(decompressor_open(&input, n_bytes, &decompressor, &error), 0);
    cr_assert_eq(pipeline_start(decompressor, stop_fd, &pipeline, &error), 0);
    const void *block;
    size_t got, at = 0;
    while (pipeline_next(pipeline, &block, &got, &error) == 0 && got > 0 && at < n_bytes / 2) {
        cr_assert_eq(memcmp(bytes + at, block, got), 0);
        at += got;
    }
    struct bh_digest digest, expected;
    uint64_t total;
    cr_assert_eq(pipeline_finish(pipeline, &digest, &total, &error), 0); /* drains what nobody parsed */
    cr_assert_eq(total, n_bytes);
    cr_assert_eq(bh_digest_of(bytes, n_bytes, &expected, &error), 0);
    cr_assert(bh_digest_equal(&digest, &expected));
    free(bytes);
}

Test(decompress, a_pipeline_can_be_given_up_while_it_waits)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "0123456789", 10), 10);
    bh_autoclose int stop_fd = eventfd(0, EFD_CLOEXEC);
    struct job_end end = {.channel_fd = -1, .stop_fd = stop_fd};
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    bh_autopipeline struct pipeline *pipeline = NULL;
    struct bh_error error = {0};
    cr_assert_eq(input_open(ends[0], &end, &input, &error), 0);
    cr_assert_eq(decompressor_open(&input, 100, &decompressor, &error), 0);
    cr_assert_eq(pipeline_start(decompressor, stop_fd, &pipeline, &error), 0);
    /* Leaving the scope frees it: this test ends only if the reader can be woken. */
}

Test(decompress, more_than_allowed_is_refused)
{
    char bytes[1000] = "x";
    bh_autoclose int fd = file_of(bytes, sizeof(bytes));
    bh_autoinput struct input input = {0};
    bh_autodecompressor struct decompressor *decompressor = NULL;
    struct bh_error error = {0};
    size_t got;
    cr_assert_eq(input_open(fd, &no_end, &input, &error), 0);
    cr_assert_eq(decompressor_open(&input, 999, &decompressor, &error), 0);
    cr_assert_eq(decompressor_read(decompressor, bytes, sizeof(bytes), &got, &error), -1);
    cr_assert_eq(error.code, BH_RESOURCE_EXHAUSTED);
}
