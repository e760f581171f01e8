/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as what a container says: the line that the monitor makes of them, in either form, is one that api reads
 * back; as a record byte for byte, as JSON with what is no UTF-8 replaced.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "json_line.h"
#include "local_record.h"
#include "log_format.h"
#include "fuzz.h"

static void write_json(const uint8_t *text, size_t n_text, char *buffer)
{
    char time[MONITOR_TIME_SIZE];
    struct log_line line;
    struct bh_error error = {0};
    size_t n_time = monitor_time_format(1700000000123456789, time);
    size_t n = monitor_json_line(buffer, text, n_text, true, "stdout", time, n_time);
    if (n > MONITOR_RECORD_BYTES_MAX || log_format_json.next(buffer, n, 0) != n ||
        log_format_json.parse(buffer, n, &line, &error) < 0 || line.stream != 1 ||
        line.time_ns != 1700000000123456789 || line.n_text == 0 || line.text[line.n_text - 1] != '\n') {
        fuzz_wrong();
    }
    for (size_t i = 0; i < n_text; i++) {
        if (text[i] >= 0x80) {
            return;
        }
    }
    if (line.n_text != n_text + 1 || memcmp(line.text, text, n_text) != 0) {
        fuzz_wrong();
    }
}

static void write_record(const uint8_t *text, size_t n_text, char *buffer)
{
    struct log_line line;
    struct bh_error error = {0};
    size_t n = monitor_local_record((uint8_t *)buffer, text, n_text, true, "stderr", 1700000000123456789);
    if (monitor_local_whole((const uint8_t *)buffer, n) != n || log_format_records.next(buffer, n, 0) != n ||
        log_format_records.parse(buffer, n, &line, &error) < 0 || line.stream != 2 || line.n_text != n_text ||
        memcmp(line.text, text, n_text) != 0) {
        fuzz_wrong();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes)
{
    bh_autofree char *buffer = malloc(MONITOR_RECORD_BYTES_MAX);
    if (!buffer) {
        fuzz_wrong();
    }
    if (n_bytes <= MONITOR_LINE_BYTES_MAX) {
        write_json(bytes, n_bytes, buffer);
        write_record(bytes, n_bytes, buffer);
    }
    return 0;
}
