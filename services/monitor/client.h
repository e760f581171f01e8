/* SPDX-License-Identifier: Apache-2.0
 *
 * Attached clients: whoever handed in three descriptors, at the start or by AttachStreams. Each reads the container's
 * output at its own pace (and holds the container back by it), and may feed its stdin. A dead client is noticed and
 * dropped; none of them is trusted for more than its own descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "log_file.h"

#define MONITOR_CLIENTS_MAX 32

struct client {
    int input;                           /* its stdin, to read; -1: none, or at its end */
    int outputs[MONITOR_STREAMS];        /* to write; -1: not wanted, or closed */
    uint64_t positions[MONITOR_STREAMS]; /* how far into each stream it has read */
    uint64_t progress_at_ms;             /* when it last took something */
};

struct client_table {
    struct client rows[MONITOR_CLIENTS_MAX];
};

void client_table_init(struct client_table *table);

/* Takes over the three descriptors (also on failure). /dev/null in one of them stands for "not wanted". `positions` is
 * where the streams are now: what went by before is in the log. RESOURCE_EXHAUSTED if too many are attached. */
int client_table_add(struct client_table *table, const int fds[static 3],
                     const uint64_t positions[static MONITOR_STREAMS], struct bh_error *error);

/* Closes one client's end of a stream. */
void client_close_output(struct client *client, enum monitor_stream stream);
/* Closes every client's stdin: nobody reads it any more. */
void client_table_close_inputs(struct client_table *table);

/* True for the null device, which callers hand in where they want no stream. */
bool client_is_null_device(int fd);
/* Makes reads and writes of `fd` return instead of wait. */
int client_set_nonblocking(int fd, struct bh_error *error);
