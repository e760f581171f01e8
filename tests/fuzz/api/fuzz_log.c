/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a container's log, in both forms, plain and as what compressed it, from any start: every line that comes
 * out says which stream it is of, and the last N lines are not more than N. What was compressed reads as it did before.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "common/log_packed.h"
#include "log_reader.h"
#include "fuzz.h"

#define TAIL 3

static unsigned read_all(const uint8_t *bytes, size_t n_bytes, const struct log_format *format, bool tail)
{
    struct log_reader reader;
    struct log_line line;
    struct bh_error error;
    int file = memfd_create("log", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, n_bytes) != (ssize_t)n_bytes ||
        log_reader_init(&reader, format, &file, 1, &error) < 0) {
        fuzz_wrong();
    }
    unsigned n_lines = 0;
    if (!tail || log_reader_seek_tail(&reader, TAIL, &error) == 0) {
        for (; log_reader_next(&reader, &line, &error) == 1; n_lines++) {
            if ((line.stream != 1 && line.stream != 2) || line.n_text > LOG_ITEM_BYTES_MAX) {
                fuzz_wrong();
            }
        }
    }
    log_reader_free(&reader);
    if (tail && format == &log_format_json && n_lines > TAIL + 1) { /* a line without its end counts for itself */
        fuzz_wrong();
    }
    return n_lines;
}

/* The beginning of a compressed log. */
static size_t put_head(uint8_t *to)
{
    static const uint8_t gzip[12] = {0x1f, 0x8b, 8, 4, [10] = BH_LOG_PACKED_EXTRA_BYTES};
    memcpy(to, gzip, sizeof(gzip));
    bh_log_packed_extra(1, to + sizeof(gzip));
    return BH_LOG_PACKED_HEAD_BYTES;
}

/* Behind it, any bytes as what zlib is to read. */
static void read_as_packed(const uint8_t *bytes, size_t n_bytes)
{
    uint8_t *packed = malloc(BH_LOG_PACKED_HEAD_BYTES + n_bytes);
    if (!packed) {
        fuzz_wrong();
    }
    size_t n_head = put_head(packed);
    memcpy(packed + n_head, bytes, n_bytes);
    (void)read_all(packed, n_head + n_bytes, &log_format_json, false);
    (void)read_all(packed, n_head + n_bytes, &log_format_records, true);
    free(packed);
}

static void read_packed(const uint8_t *bytes, size_t n_bytes, const struct log_format *format)
{
    z_stream stream = {0};
    gz_header header = {0};
    uint8_t extra[BH_LOG_PACKED_EXTRA_BYTES];
    bh_log_packed_extra(1, extra);
    header.extra = extra;
    header.extra_len = sizeof(extra);
    if (deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflateSetHeader(&stream, &header) != Z_OK) {
        fuzz_wrong();
    }
    size_t room = deflateBound(&stream, n_bytes) + BH_LOG_PACKED_HEAD_BYTES;
    uint8_t *packed = malloc(room);
    stream.next_in = (uint8_t *)(uintptr_t)bytes;
    stream.avail_in = (uInt)n_bytes;
    stream.next_out = packed;
    stream.avail_out = (uInt)room;
    if (!packed || deflate(&stream, Z_FINISH) != Z_STREAM_END ||
        read_all(packed, stream.total_out, format, false) != read_all(bytes, n_bytes, format, false)) {
        fuzz_wrong();
    }
    (void)read_all(packed, stream.total_out, format, true);
    (void)deflateEnd(&stream);
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    (void)read_all(bytes, n_bytes, &log_format_json, true);
    (void)read_all(bytes, n_bytes, &log_format_records, true);
    read_packed(bytes, n_bytes, &log_format_json);
    read_packed(bytes, n_bytes, &log_format_records);
    read_as_packed(bytes, n_bytes);
    return 0;
}
