/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of Docker's json-file log: {"log":"text\n","stream":"stdout","time":"2014-12-11T22:14:05.1234Z"}.
 * Called by log_file.c. The text is the container's own and may be anything; what comes out is always one valid line
 * of JSON in UTF-8, escaped as Go's encoder (and so dockerd) does it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Docker's copier cuts lines here, and so do we: clients put the pieces together again. */
#define MONITOR_LINE_BYTES_MAX 16384U
/* The most that one line of that length can become: six bytes each, and the frame around them. */
#define MONITOR_RECORD_BYTES_MAX (6U * MONITOR_LINE_BYTES_MAX + 128U)

#define MONITOR_TIME_SIZE 32

/* Writes a time since 1970 as RFC 3339 with nanoseconds in UTC, trailing zeros trimmed as Go does ("…:05Z", "…:05.5Z").
 * Returns its length, without the NUL it also writes. */
size_t monitor_time_format(int64_t wall_ns, char buffer[static MONITOR_TIME_SIZE]);

/* Writes one record of at most MONITOR_RECORD_BYTES_MAX bytes, not terminated; returns its length. `n_text` is at most
 * MONITOR_LINE_BYTES_MAX and does not include the newline, which `newline` stands for. */
size_t monitor_json_line(char *buffer, const uint8_t *text, size_t n_text, bool newline, const char *stream,
                         const char *time, size_t n_time);
