/* SPDX-License-Identifier: Apache-2.0
 *
 * Sending a container's log, for `logs` and for `attach` with logs=1.
 */
#pragma once

#include "log_reader.h"
#include "request.h"

/* What a client wants of a log, and where it goes. */
struct log_wish {
    bool stdout_wanted, stderr_wanted, timestamps, tty;
    char *details; /* NULL, or what stands before each line, "label=value,VARIABLE=value "; owned */
    bool has_tail;
    uint64_t tail;
    int64_t since_ns, until_ns; /* 0: no bound */
    int (*send)(struct connection *connection, const void *bytes, size_t n_bytes);
};

/* Asks the engine for a container's log files. `wish->tty` is set, and `wish->details` if `details`. *ret_follow_fd is
 * -1, or (if `follow` and it runs) a connection to its monitor, the caller's. */
int logs_open(struct request *request, bool follow, bool details, struct log_wish *wish, struct log_reader *ret_reader,
              int *ret_follow_fd, struct bh_error *error);

/* Sends what is there. 1: `until` was reached; 0: the end for now; -1: the log cannot be read, or (error->code
 * CANCELLED) the client is gone. */
int logs_send(struct request *request, const struct log_wish *wish, struct log_reader *reader, struct bh_error *error);
