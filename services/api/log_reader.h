/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a container's log files, compressed ones too, oldest first, from a start that can lie N lines before the end,
 * and goes on when they grow or are rotated. Called by logs.c and attach.c with descriptors that the engine handed
 * over; what is in the files is the container's own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/limits.h"
#include "log_format.h"
#include "log_unpack.h"

struct log_reader {
    const struct log_format *format;
    int files[BH_MESSAGE_FDS_MAX]; /* oldest first; owned */
    size_t n_files, current;       /* files[current] is being read */
    off_t offset;                  /* in it, of the next byte that is not in the buffer */
    struct log_unpack *unpack;     /* if it is a compressed one; `offset` counts what comes out */
    char *buffer;
    size_t start, end;
    bool skipping; /* inside an item that is too long to be one of ours */
    bool lost;     /* what follows in files[current] cannot be told apart */
};

/* Takes over `files`, newest first as LogsOpened brings them. */
int log_reader_init(struct log_reader *reader, const struct log_format *format, const int *files, size_t n_files,
                    struct bh_error *error);
void log_reader_free(struct log_reader *reader);

/* Goes to the `lines`-th line (or piece of a long one) before the end, over all files. */
int log_reader_seek_tail(struct log_reader *reader, uint64_t lines, struct bh_error *error);

/* The next whole line. 1: *ret_line is valid until the next call. 0: nothing more at the moment. Damaged lines are
 * skipped. */
int log_reader_next(struct log_reader *reader, struct log_line *ret_line, struct bh_error *error);

/* After a rotation: takes over the files as they are now, newest first, and goes on where it was. *ret_moved tells
 * whether there is a newer file than the one being read. */
int log_reader_rotated(struct log_reader *reader, const int *files, size_t n_files, bool *ret_moved,
                       struct bh_error *error);
