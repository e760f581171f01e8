/* SPDX-License-Identifier: Apache-2.0
 *
 * Buffered reading from the descriptor that a job was handed (pipe or file), which ends early when the job's channel
 * closes, its deadline passes or another thread says stop. Used by the decoders.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* What can end a job early. Borrowed by whoever reads. */
struct job_end {
    int channel_fd;          /* its hang-up ends the job; -1: none */
    int stop_fd;             /* readable: another thread wants us to stop; -1: none */
    uint64_t deadline_at_ms; /* on bh_now_ms()'s clock; 0: none */
};

struct input {
    int fd; /* borrowed */
    struct job_end end;
    uint8_t *buffer;
    size_t first, last; /* what is buffered and not consumed: buffer[first .. last) */
    bool end_of_file;
    _Atomic uint64_t consumed_bytes; /* read by the thread that reports progress */
};

/* Prepares `ret_input`; input_close() frees its buffer. */
int input_open(int fd, const struct job_end *end, struct input *ret_input, struct bh_error *error);
void input_close(struct input *input);
#define bh_autoinput bh_cleanup(input_close)

/* Reads until `n_bytes` (at most 16) are buffered side by side, or the end of the file. */
int input_want(struct input *input, size_t n_bytes, struct bh_error *error);

static inline size_t input_available(const struct input *input)
{
    return input->last - input->first;
}

static inline const uint8_t *input_bytes(const struct input *input)
{
    return input->buffer + input->first;
}

/* Takes bytes off the buffer. */
void input_consume(struct input *input, size_t n_bytes);

/* Reads past the buffer once it is empty: for bytes that need no decoding. *ret_bytes 0 at the end of the file. */
int input_read(struct input *input, void *buffer, size_t n_bytes, size_t *ret_bytes, struct bh_error *error);
