/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole state of one monitor and the one loop that drives it. Phases follow one another and never go back:
 * running -> draining (its process has ended, its streams are read to their end) -> finished (log and record are whole,
 * who asked is told) -> done.
 */
#pragma once

#include "client.h"
#include "common/error.h"
#include "common/monitor_start.h"
#include "connection.h"
#include "input.h"
#include "log_file.h"
#include "output.h"

enum monitor_phase { MONITOR_RUNNING, MONITOR_DRAINING, MONITOR_FINISHED };

struct monitor {
    struct bh_monitor_start start;
    char *journal_fields; /* `start.journal_bytes` of them; kept as long as the process lives */
    enum monitor_phase phase;
    uint64_t deadline_ms;     /* draining: when to stop; finished: when to stop telling */
    bool recorded;            /* the exit record is on disk */
    uint64_t record_again_ms; /* when to try once more */
    bool warm;                /* buffers hold memory that an idle monitor gives back */
    struct bh_exit_record end;
    struct log_file log;
    struct output outputs[MONITOR_STREAMS];
    struct kept_output kept;
    struct input input;
    struct client_table clients;
    struct connection connections[MONITOR_CONNECTIONS_MAX];
};

/* Takes over the descriptors that `start` describes. */
int monitor_open(struct monitor *monitor, struct bh_error *error);

/* Runs until the container has ended and everybody who asked was told. */
void monitor_run(struct monitor *monitor);
