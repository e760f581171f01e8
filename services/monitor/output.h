/* SPDX-License-Identifier: Apache-2.0
 *
 * One output stream of the container: read in large pieces, logged, copied to every attached client. While the
 * container runs, the next piece is read only when every client has taken the last: a slow one holds the container
 * back. Once it has ended ("draining"), what its pipe still holds is read and logged at once, whatever clients do, and
 * kept for them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "common/error.h"
#include "log_file.h"

/* The first bytes of both streams, in the order they were read. */
struct kept_output {
    uint8_t *bytes;
    size_t n_bytes, max_bytes;
    bool cut; /* there was more */
};

struct output {
    enum monitor_stream stream;
    int fd;          /* the container's end; -1 once it has ended */
    bool hung_up;    /* a terminal nobody has open just now: tried again later */
    uint8_t *buffer; /* what some client has not taken yet */
    size_t capacity;
    size_t n_bytes;
    uint64_t base; /* position of buffer[0] in the stream */
};

/* Takes over `fd`; the null device is a stream that has ended already. */
int output_open(struct output *output, enum monitor_stream stream, int fd, struct bh_error *error);

/* Where the stream is now: what a new client starts from. */
uint64_t output_position(const struct output *output);

/* Whether it is time to read on. */
bool output_wants_input(const struct output *output, bool draining);

/* Reads one piece and logs it. The end of the stream closes it. */
void output_read(struct output *output, struct log_file *log, struct kept_output *kept, bool draining);

/* Ends the stream now, although somebody still holds its other end. */
void output_end(struct output *output, struct log_file *log);

/* Whether `client` has yet to take something. */
bool output_is_behind(const struct output *output, const struct client *client);

/* Copies to every client what it has room for, drops those that are gone, lets go of what all have taken. While the
 * container runs, clients do not hear of the stream's end: whoever is attached stays so. */
void output_copy(struct output *output, struct client_table *clients, bool runs);

/* Gives memory back while nothing happens. */
void output_idle(struct output *output);
