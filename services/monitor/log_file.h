/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's log: splits what its streams say into lines and writes them to container.log, rotated by size. Called
 * by output.c with opaque bytes. With the driver `journald` each line also goes to the host's journal. A log that
 * cannot be written (disk full) costs lines, never the container: whole lines are dropped, and writing goes on as soon
 * as it can.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/monitor_start.h"
#include "journal.h"
#include "log_pack.h"

#define LOG_FILE_MODE      0640
#define LOG_FILE_NAME_SIZE 32

enum monitor_stream { MONITOR_STDOUT, MONITOR_STDERR, MONITOR_STREAMS };

struct log_file {
    int folder; /* borrowed */
    int fd;     /* container.log; -1 if logging is off */
    enum bh_log_driver driver;
    struct journal journal;
    struct log_pack pack; /* what rotation leaves to compress */
    uint64_t rotations;   /* so far */
    uint64_t size_bytes;  /* of whole lines in it */
    uint64_t max_bytes;   /* 0: no rotation */
    uint32_t max_files;
    uint64_t lines; /* written so far: tells followers that it grew */
    bool failing;   /* the last write failed: said once, until one succeeds */
    uint8_t *batch; /* finished records that wait for one write(2) */
    size_t n_batch;
    struct {
        uint8_t *bytes; /* a line without its end yet, at most MONITOR_LINE_BYTES_MAX */
        size_t n_bytes;
    } partial[MONITOR_STREAMS];
};

/* Opens (or makes) container.log in `folder`. With logging off, the other functions do nothing. */
int log_file_open(struct log_file *log, int folder, const struct bh_monitor_start *start, struct bh_error *error);
/* Has each line sent to the journal too, beside `fields` ("NAME=value\n"...; borrowed). */
void log_file_add_journal(struct log_file *log, int fd, const char *fields, size_t n_fields);

/* Logs a chunk of a stream, read at `wall_ns`. Lines end at newlines; one longer than MONITOR_LINE_BYTES_MAX is cut. */
void log_file_write(struct log_file *log, enum monitor_stream stream, const uint8_t *bytes, size_t n_bytes,
                    int64_t wall_ns);

/* The stream ended: what is left of its last line is logged without a newline. */
void log_file_end(struct log_file *log, enum monitor_stream stream, int64_t wall_ns);

/* How the files are called, the one that is written being 0: container.log, container.log.1, container.log.2.gz. */
const char *log_file_name(char ret_name[static LOG_FILE_NAME_SIZE], uint32_t index, bool packed);

/* Gives memory back to the kernel while nothing is written. */
void log_file_idle(struct log_file *log);
