/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the executor for one real monitor: a plain process stands for the container, its parent becomes the monitor by
 * executing the real program with the descriptors of common/monitor_start.h and the real filter.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "common/channel.h"
#include "common/monitor_start.h"

struct stage {
    char folder[64]; /* temporary; the log folder and the socket lie in it */
    int logs;
    pid_t monitor;
    pid_t container;
    int first;                                      /* our end of the first connection */
    int terminal;                                   /* tty: the slave's end stays with the container; -1 */
    struct bh_channel *channel;                     /* over `first` */
    int client_stdin, client_stdout, client_stderr; /* our ends of the first attachment; -1 */
};

struct stage_options {
    struct bh_monitor_start start; /* magic, pid, container_id and filter_count are filled in; log_driver 0 is none */
    int journal_fd;                /* with log_driver journald; 0: none */
    const char *journal_fields;
    int (*container)(void *argument); /* runs in the container's process; its result is the exit code */
    void *argument;
    bool attach;            /* one client from the start */
    int oom_fd;             /* 0: none */
    const char *log_folder; /* NULL: one is made in `folder` */
};

void stage_start(struct stage *stage, const struct stage_options *options);
/* A new connection through the listener, as a DIRECT channel the caller frees. */
struct bh_channel *stage_connect(const struct stage *stage);
/* Asks for the exit and waits for the answer. */
int stage_wait_exit(struct stage *stage, bool *ret_oom);
/* Waits for the monitor's own end; returns its wait status. */
int stage_join(struct stage *stage);
/* Kills what is left, removes the folder. */
void stage_end(struct stage *stage);
/* Reads a file of the log folder whole; the caller frees it. NULL if there is none. */
char *stage_read(const struct stage *stage, const char *name, size_t *ret_bytes);
/* Attaches a client through `channel`; our ends are returned (stdin to write, stdout and stderr to read). */
void stage_attach(struct bh_channel *channel, int ret_ends[3]);
/* The exit record. */
bool stage_record(const struct stage *stage, struct bh_exit_record *ret_record);

extern const struct bh_protocol stage_protocol;
