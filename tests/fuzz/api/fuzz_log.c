/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a container's log, in both forms, from any start: every line that comes out says which stream it is of,
 * and the last N lines are not more than N.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log_reader.h"

#define TAIL 3

static void read_all(const uint8_t *bytes, size_t n_bytes, const struct log_format *format, bool tail)
{
    struct log_reader reader;
    struct log_line line;
    struct bh_error error;
    int file = memfd_create("log", MFD_CLOEXEC);
    if (file < 0 || write(file, bytes, n_bytes) != (ssize_t)n_bytes ||
        log_reader_init(&reader, format, &file, 1, &error) < 0) {
        abort();
    }
    unsigned n_lines = 0;
    if (!tail || log_reader_seek_tail(&reader, TAIL, &error) == 0) {
        for (; log_reader_next(&reader, &line, &error) == 1; n_lines++) {
            if ((line.stream != 1 && line.stream != 2) || line.n_text > LOG_ITEM_BYTES_MAX) {
                abort();
            }
        }
    }
    log_reader_free(&reader);
    if (tail && format == &log_format_json && n_lines > TAIL + 1) { /* a line without its end counts for itself */
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    read_all(bytes, n_bytes, &log_format_json, false);
    read_all(bytes, n_bytes, &log_format_json, true);
    read_all(bytes, n_bytes, &log_format_records, false);
    read_all(bytes, n_bytes, &log_format_records, true);
    return 0;
}
