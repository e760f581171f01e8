/* SPDX-License-Identifier: Apache-2.0
 *
 * The log's lines, and the reader that walks files backwards, forwards and over rotations.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/log_packed.h"
#include "log_reader.h"

static int parse(const char *text, struct log_line *line)
{
    static char bytes[1024];
    strcpy(bytes, text);
    return log_line_parse(bytes, strlen(text), line, NULL);
}

Test(log_line, text_is_decoded)
{
    struct log_line line;
    cr_assert_eq(parse("{\"log\":\"a\\\"\\\\\\n\\u00e9\\u2028\\u0000<\",\"stream\":\"stderr\",\"time\":\"2024-01-01T00:"
                       "00:00.5Z\"}",
                       &line),
                 0);
    cr_assert_eq(line.n_text, 11);
    cr_assert_arr_eq(line.text, "a\"\\\n\xc3\xa9\xe2\x80\xa8\0<", 11);
    cr_assert_eq(line.stream, 2);
    cr_assert_eq(line.time_ns, 1704067200500000000);
}

Test(log_line, anything_else_is_damage)
{
    static const char *const bad[] = {
        "",
        "{}",
        "x",
        "{\"log\":\"a\"}",
        "{\"log\":\"a",
        "{\"log\":\"a\",\"stream\":\"stdin\",\"time\":\"2024-01-01T00:00:00Z\"}",
        "{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"now\"}",
        "{\"log\":\"a\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"} ",
        "{\"log\":\"\\x\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}",
        "{\"log\":\"\\u12\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}",
        "{\"log\":\"\\ud800\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}",
        "{\"stream\":\"stdout\",\"log\":\"a\",\"time\":\"2024-01-01T00:00:00Z\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct log_line line;
        cr_expect_eq(parse(bad[i], &line), -1, "%s", bad[i]);
    }
}

/* A file of lines numbered from `first`. */
static int make_file(unsigned first, unsigned count)
{
    int fd = memfd_create("log", MFD_CLOEXEC);
    for (unsigned i = 0; i < count; i++) {
        dprintf(fd, "{\"log\":\"%u\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}\n", first + i);
    }
    return fd;
}

/* The same file as the monitor compresses it; `file` is closed. */
static int pack(int file)
{
    static uint8_t bytes[1 << 20], packed[1 << 20];
    uint8_t extra[BH_LOG_PACKED_EXTRA_BYTES];
    struct stat info;
    z_stream stream = {0};
    cr_assert_eq(fstat(file, &info), 0);
    bh_log_packed_extra(info.st_ino, extra);
    gz_header header = {.os = 3, .extra = extra, .extra_len = sizeof(extra)};
    ssize_t n = pread(file, bytes, sizeof(bytes), 0);
    cr_assert_eq(n, info.st_size);
    cr_assert_eq(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflateSetHeader(&stream, &header), Z_OK);
    stream.next_in = bytes;
    stream.avail_in = (uInt)n;
    stream.next_out = packed;
    stream.avail_out = sizeof(packed);
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    int fd = memfd_create("packed", MFD_CLOEXEC);
    cr_assert_eq(write(fd, packed, stream.total_out), (ssize_t)stream.total_out);
    (void)deflateEnd(&stream);
    close(file);
    return fd;
}

static unsigned next(struct log_reader *reader)
{
    struct log_line line;
    unsigned number = 0;
    if (log_reader_next(reader, &line, NULL) == 1) {
        sscanf(line.text, "%u", &number);
    }
    return number;
}

Test(log_reader, tail_counts_over_files)
{
    static const struct {
        unsigned tail, first;
    } cases[] = {{0, 0},       {1, 5000},    {2, 4999}, {1000, 4001}, {2999, 2002},
                 {3000, 2001}, {3001, 2000}, {5000, 1}, {9999, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_reader reader;
        struct bh_error error = {0};
        const int files[] = {make_file(2001, 3000), make_file(1, 2000)};
        cr_assert_eq(log_reader_init(&reader, &log_format_json, files, 2, &error), 0);
        cr_assert_eq(log_reader_seek_tail(&reader, cases[i].tail, &error), 0);
        cr_expect_eq(next(&reader), cases[i].first, "tail %u", cases[i].tail);
        log_reader_free(&reader);
    }
}

Test(log_reader, compressed_files_are_read_like_others)
{
    static const struct {
        unsigned tail, first;
    } cases[] = {{0, 0},       {1, 5000},    {500, 4501}, {501, 4500}, {2999, 2002},
                 {3000, 2001}, {3001, 2000}, {5000, 1},   {9999, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_reader reader;
        struct bh_error error = {0};
        const int files[] = {make_file(4501, 500), pack(make_file(2001, 2500)), pack(make_file(1, 2000))};
        cr_assert_eq(log_reader_init(&reader, &log_format_json, files, 3, &error), 0);
        cr_assert_eq(log_reader_seek_tail(&reader, cases[i].tail, &error), 0);
        for (unsigned line = cases[i].first; line > 0 && line <= 5000; line++) {
            cr_assert_eq(next(&reader), line, "tail %u", cases[i].tail);
        }
        cr_assert_eq(next(&reader), 0);
        log_reader_free(&reader);
    }
}

Test(log_reader, a_damaged_compressed_file_ends_there)
{
    for (int cut = 0; cut < 2; cut++) {
        struct log_reader reader;
        struct bh_error error = {0};
        int packed = pack(make_file(1, 3000));
        off_t size = lseek(packed, 0, SEEK_END);
        if (cut) {
            cr_assert_eq(ftruncate(packed, size - 100), 0);
        } else {
            cr_assert_eq(pwrite(packed, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, size - 1000), 8);
        }
        const int files[] = {make_file(3001, 2), packed};
        cr_assert_eq(log_reader_init(&reader, &log_format_json, files, 2, &error), 0);
        unsigned last = 0, line;
        while ((line = next(&reader)) > 0) {
            last = line;
        }
        cr_assert_eq(last, 3002, "the files behind it are read");
        cr_assert_eq(log_reader_seek_tail(&reader, 1000000, &error), 0);
        cr_assert_eq(next(&reader), 1);
        log_reader_free(&reader);
    }
}

Test(log_reader, a_follower_knows_its_file_again_when_it_was_compressed)
{
    struct log_reader reader;
    struct bh_error error = {0};
    bool moved;
    int old = make_file(1, 3);
    const int files[] = {fcntl(old, F_DUPFD_CLOEXEC, 0)};
    cr_assert_eq(log_reader_init(&reader, &log_format_json, files, 1, &error), 0);
    for (unsigned line = 1; line <= 3; line++) {
        cr_assert_eq(next(&reader), line);
    }
    const int rotated[] = {make_file(6, 1), pack(make_file(4, 2)), pack(old)};
    cr_assert_eq(log_reader_rotated(&reader, rotated, 3, &moved, &error), 0);
    cr_assert(moved);
    for (unsigned line = 4; line <= 6; line++) {
        cr_assert_eq(next(&reader), line);
    }
    cr_assert_eq(next(&reader), 0);
    log_reader_free(&reader);
}

Test(log_reader, goes_on_after_growth_and_rotation)
{
    struct log_reader reader;
    struct bh_error error = {0};
    bool moved;
    int old = make_file(1, 2);
    const int files[] = {fcntl(old, F_DUPFD_CLOEXEC, 0)};
    cr_assert_eq(log_reader_init(&reader, &log_format_json, files, 1, &error), 0);
    cr_assert_eq(next(&reader), 1);
    cr_assert_eq(next(&reader), 2);
    cr_assert_eq(next(&reader), 0);
    dprintf(old, "{\"log\":\"3\\n\",\"stream\":\"std");
    cr_assert_eq(next(&reader), 0, "a torn line waits");
    dprintf(old, "out\",\"time\":\"2024-01-01T00:00:00Z\"}\n");
    cr_assert_eq(next(&reader), 3);
    const int same[] = {fcntl(old, F_DUPFD_CLOEXEC, 0)};
    cr_assert_eq(log_reader_rotated(&reader, same, 1, &moved, &error), 0);
    cr_assert_not(moved);
    dprintf(old, "{\"log\":\"4\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}\n");
    const int rotated[] = {make_file(5, 1), fcntl(old, F_DUPFD_CLOEXEC, 0)};
    cr_assert_eq(log_reader_rotated(&reader, rotated, 2, &moved, &error), 0);
    cr_assert(moved);
    cr_assert_eq(next(&reader), 4);
    cr_assert_eq(next(&reader), 5);
    cr_assert_eq(next(&reader), 0);
    log_reader_free(&reader);
    close(old);
}

Test(log_reader, overlong_lines_are_dropped)
{
    struct log_reader reader;
    struct bh_error error = {0};
    int file = make_file(1, 1);
    for (unsigned i = 0; i < 700; i++) {
        char junk[1025];
        memset(junk, 'j', 1024);
        junk[1024] = '\0';
        dprintf(file, "%s", junk);
    }
    dprintf(file, "\n{\"log\":\"2\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00Z\"}\n");
    cr_assert_eq(log_reader_init(&reader, &log_format_json, &file, 1, &error), 0);
    cr_assert_eq(next(&reader), 1);
    cr_assert_eq(next(&reader), 2);
    log_reader_free(&reader);
}
