/* SPDX-License-Identifier: Apache-2.0
 *
 * Where helpers write their log when the supervisor's standard error is a plain file: into a pipe, from which the
 * kernel moves the bytes on to the file's end (splice(2)), unread. Written to by helpers themselves, the file would
 * count for each one's own limit of file sizes, and a large log would end them. Anything else (a journal's socket, a
 * terminal) they are given as it is.
 */
#pragma once

#include <event2/event.h>

#include "common/error.h"

struct helpers_log {
    int pipe[2];         /* -1: standard error is no plain file */
    int file, nowhere;   /* nowhere: for what the file does not take */
    struct event *event; /* there is something in the pipe */
};

/* Never fails: what cannot be prepared is said, and helpers get the file itself. */
void helpers_log_open(struct helpers_log *ret_log);
/* What a helper is to have as its standard error; -1: what the supervisor has. */
int helpers_log_end(const struct helpers_log *log);
int helpers_log_watch(struct helpers_log *log, struct event_base *base, struct bh_error *error);
/* What is left in the pipe when the helpers have ended. */
void helpers_log_drain(const struct helpers_log *log);
