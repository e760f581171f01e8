/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop of a monitor; see monitor.h. Each round asks every part what it waits for, waits once, lets each part that
 * became ready do one step, and then moves the phase on. Nothing in it ever waits for a single client, connection or
 * file.
 */
#include "monitor.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/log.h"
#include "container_end.h"
#include "memory.h"
#include "service.h"

/* With its PID namespace gone nobody holds a stream open; only a container in the host's PID namespace can come this
 * far. */
#define DRAIN_MS 2000U
/* How long an ended monitor waits for connections that never asked, or do not read. */
#define TELL_MS 5000U
/* How long it keeps the last output for a client that takes nothing: somebody may be reading it in a pager. */
#define CLIENT_STALL_MS   (10U * 60U * 1000U)
#define RECORD_AGAIN_MS   1000U
#define IDLE_MS           1000
#define TERMINAL_RETRY_MS 250

/* What a slot of the poll set stands for. */
enum source {
    SOURCE_LISTENER,
    SOURCE_PROCESS,
    SOURCE_OUTPUT,
    SOURCE_INPUT,
    SOURCE_CLIENT_INPUT,
    SOURCE_CLIENT_OUTPUT,
    SOURCE_CONNECTION
};

#define SLOTS_MAX (2 + MONITOR_STREAMS + 1 + 3 * MONITOR_CLIENTS_MAX + MONITOR_CONNECTIONS_MAX)

struct wait_set {
    struct pollfd fds[SLOTS_MAX];
    struct {
        enum source source;
        size_t index;
        enum monitor_stream stream;
    } slots[SLOTS_MAX];
    nfds_t n;
};

int monitor_open(struct monitor *monitor, struct bh_error *error)
{
    const struct bh_monitor_start *start = &monitor->start;
    client_table_init(&monitor->clients);
    for (size_t i = 0; i < MONITOR_CONNECTIONS_MAX; i++) {
        monitor->connections[i].fd = -1;
    }
    monitor->kept.max_bytes = start->keep_bytes;
    if (start->keep_bytes > 0 && !(monitor->kept.bytes = memory_reserve(BH_KEPT_OUTPUT_MAX))) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory to keep output in");
    }
    connection_open(&monitor->connections[0], BH_MONITOR_FD_FIRST);
    if (log_file_open(&monitor->log, BH_MONITOR_FD_LOGS, start, error) < 0 ||
        exit_record_prepare(BH_MONITOR_FD_LOGS, error) < 0 ||
        input_open(&monitor->input, BH_MONITOR_FD_STDIN, start->open_stdin, start->stdin_once && !start->tty, error) <
            0 ||
        output_open(&monitor->outputs[MONITOR_STDOUT], MONITOR_STDOUT, BH_MONITOR_FD_STDOUT, error) < 0 ||
        output_open(&monitor->outputs[MONITOR_STDERR], MONITOR_STDERR, BH_MONITOR_FD_STDERR, error) < 0 ||
        client_set_nonblocking(BH_MONITOR_FD_LISTEN, error) < 0) {
        return -1;
    }
    if (start->log_driver == BH_LOG_DRIVER_JOURNALD) {
        log_file_add_journal(&monitor->log, BH_MONITOR_FD_JOURNAL, monitor->journal_fields, start->journal_bytes);
    }
    const uint64_t beginning[MONITOR_STREAMS] = {0, 0};
    for (int i = 0; i < (int)start->attachments; i++) {
        const int first = BH_MONITOR_FD_ATTACH + 3 * i;
        const int fds[3] = {first, first + 1, first + 2};
        if (client_table_add(&monitor->clients, fds, beginning, error) < 0) {
            return -1;
        }
    }
    if (monitor->input.fd < 0) {
        client_table_close_inputs(&monitor->clients);
    }
    monitor->warm = true;
    return 0;
}

/* ---- what to wait for --------------------------------------------------------------------------- */

static void add(struct wait_set *set, int fd, short events, enum source source, size_t index,
                enum monitor_stream stream)
{
    set->fds[set->n] = (struct pollfd){.fd = fd, .events = events};
    set->slots[set->n].source = source;
    set->slots[set->n].index = index;
    set->slots[set->n].stream = stream;
    set->n++;
}

static void collect_clients(const struct monitor *monitor, struct wait_set *set)
{
    bool input_free = monitor->input.fd >= 0 && !input_is_behind(&monitor->input);
    for (size_t i = 0; i < MONITOR_CLIENTS_MAX; i++) {
        const struct client *client = &monitor->clients.rows[i];
        if (client->input >= 0 && input_free) {
            add(set, client->input, POLLIN, SOURCE_CLIENT_INPUT, i, MONITOR_STDOUT);
        }
        for (enum monitor_stream stream = MONITOR_STDOUT; stream < MONITOR_STREAMS; stream++) {
            if (client->outputs[stream] >= 0) { /* without events too: poll tells when nobody reads any more */
                short events = output_is_behind(&monitor->outputs[stream], client) ? POLLOUT : 0;
                add(set, client->outputs[stream], events, SOURCE_CLIENT_OUTPUT, i, stream);
            }
        }
    }
}

static void collect_connections(const struct monitor *monitor, struct wait_set *set)
{
    bool room = false;
    for (size_t i = 0; i < MONITOR_CONNECTIONS_MAX; i++) {
        const struct connection *connection = &monitor->connections[i];
        room = room || connection->fd < 0;
        if (connection->fd >= 0) {
            add(set, connection->fd, connection->pending ? POLLOUT : POLLIN, SOURCE_CONNECTION, i, MONITOR_STDOUT);
        }
    }
    if (room) {
        add(set, BH_MONITOR_FD_LISTEN, POLLIN, SOURCE_LISTENER, 0, MONITOR_STDOUT);
    }
}

static void collect(const struct monitor *monitor, struct wait_set *set)
{
    set->n = 0;
    if (monitor->phase == MONITOR_RUNNING) {
        add(set, BH_MONITOR_FD_PIDFD, POLLIN, SOURCE_PROCESS, 0, MONITOR_STDOUT);
    }
    for (enum monitor_stream stream = MONITOR_STDOUT; stream < MONITOR_STREAMS; stream++) {
        if (output_wants_input(&monitor->outputs[stream], monitor->phase != MONITOR_RUNNING)) {
            add(set, monitor->outputs[stream].fd, POLLIN, SOURCE_OUTPUT, 0, stream);
        }
    }
    if (input_is_behind(&monitor->input)) {
        add(set, monitor->input.fd, POLLOUT, SOURCE_INPUT, 0, MONITOR_STDOUT);
    }
    collect_clients(monitor, set);
    collect_connections(monitor, set);
}

/* How long the round may wait: for ever, unless something is due. */
static int wait_ms(const struct monitor *monitor)
{
    if (monitor->phase == MONITOR_DRAINING) {
        uint64_t now = bh_now_ms();
        return monitor->deadline_ms > now ? (int)(monitor->deadline_ms - now) : 0;
    }
    if (monitor->phase == MONITOR_FINISHED) {
        return IDLE_MS / 4;
    }
    if (monitor->log.pack.pending) {
        return 0;
    }
    if (monitor->outputs[MONITOR_STDOUT].hung_up) {
        return TERMINAL_RETRY_MS;
    }
    return monitor->warm ? IDLE_MS : -1;
}

/* ---- one round ----------------------------------------------------------------------------------- */

static void accept_connection(struct monitor *monitor)
{
    for (size_t i = 0; i < MONITOR_CONNECTIONS_MAX; i++) {
        if (monitor->connections[i].fd < 0) {
            int fd = accept4(BH_MONITOR_FD_LISTEN, NULL, NULL, SOCK_CLOEXEC);
            if (fd >= 0) {
                connection_open(&monitor->connections[i], fd);
            }
            return;
        }
    }
}

static void step(struct monitor *monitor, const struct wait_set *set, nfds_t slot)
{
    size_t index = set->slots[slot].index;
    enum monitor_stream stream = set->slots[slot].stream;
    short events = set->fds[slot].revents;
    struct client *client = &monitor->clients.rows[index % MONITOR_CLIENTS_MAX];
    struct connection *connection = &monitor->connections[index];
    switch (set->slots[slot].source) {
    case SOURCE_LISTENER:
        accept_connection(monitor);
        break;
    case SOURCE_PROCESS: /* the phase moves on when everything else has had its step */
        break;
    case SOURCE_OUTPUT:
        output_read(&monitor->outputs[stream], &monitor->log, &monitor->kept, monitor->phase != MONITOR_RUNNING);
        break;
    case SOURCE_INPUT:
        input_write(&monitor->input, &monitor->clients);
        break;
    case SOURCE_CLIENT_INPUT: /* an earlier client may have filled the buffer, or closed stdin, in this very round */
        if (client->input >= 0 && monitor->input.fd >= 0 && !input_is_behind(&monitor->input)) {
            input_read(&monitor->input, client, &monitor->clients);
        }
        break;
    case SOURCE_CLIENT_OUTPUT: /* output_copy() writes; here only the dead are buried */
        if (events & (POLLERR | POLLNVAL)) {
            client_close_output(client, stream);
        }
        break;
    case SOURCE_CONNECTION:
        if (connection->pending) {
            connection_flush(connection);
        } else {
            monitor_serve(monitor, connection);
        }
        break;
    }
}

/* ---- the phases ----------------------------------------------------------------------------------- */

static void begin_draining(struct monitor *monitor)
{
    exit_record_fill(&monitor->end, &monitor->start, BH_MONITOR_FD_PIDFD, BH_MONITOR_FD_OOM);
    input_close(&monitor->input, &monitor->clients);
    monitor->outputs[MONITOR_STDOUT].hung_up = false;
    monitor->deadline_ms = bh_now_ms() + DRAIN_MS;
    monitor->phase = MONITOR_DRAINING;
}

/* A record that cannot be written is tried again until it can: this process is the only one that knows. */
static void save_record(struct monitor *monitor)
{
    struct bh_error error = {0};
    if (exit_record_write(&monitor->end, BH_MONITOR_FD_LOGS, !monitor->start.ephemeral, &error) < 0) {
        if (monitor->record_again_ms == 0) {
            bh_log_failure(BH_LOG_ERROR, &error, "the exit record is tried again every second");
        }
        monitor->record_again_ms = bh_now_ms() + RECORD_AGAIN_MS;
        return;
    }
    monitor->recorded = true;
}

static void finish(struct monitor *monitor)
{
    for (enum monitor_stream stream = MONITOR_STDOUT; stream < MONITOR_STREAMS; stream++) {
        output_end(&monitor->outputs[stream], &monitor->log);
    }
    log_pack_end(&monitor->log.pack);
    save_record(monitor);
    monitor->deadline_ms = bh_now_ms() + TELL_MS;
    monitor->phase = MONITOR_FINISHED;
}

static void advance_phase(struct monitor *monitor, bool process_ended)
{
    if (monitor->phase == MONITOR_RUNNING && process_ended) {
        begin_draining(monitor);
    }
    if (monitor->phase == MONITOR_DRAINING) {
        bool ended = monitor->outputs[MONITOR_STDOUT].fd < 0 && monitor->outputs[MONITOR_STDERR].fd < 0;
        if (ended || bh_now_ms() >= monitor->deadline_ms) {
            finish(monitor);
        }
    }
    if (monitor->phase == MONITOR_FINISHED && !monitor->recorded && bh_now_ms() >= monitor->record_again_ms) {
        save_record(monitor);
    }
}

/* Whether somebody still has something to get from us. */
static bool is_done(const struct monitor *monitor)
{
    if (monitor->phase != MONITOR_FINISHED || !monitor->recorded) {
        return false;
    }
    uint64_t now = bh_now_ms();
    for (size_t i = 0; i < MONITOR_CONNECTIONS_MAX; i++) {
        const struct connection *connection = &monitor->connections[i];
        if (connection->fd >= 0 && (connection->pending || !connection->told) && now < monitor->deadline_ms) {
            return false;
        }
    }
    for (size_t i = 0; i < MONITOR_CLIENTS_MAX; i++) {
        const struct client *client = &monitor->clients.rows[i];
        bool behind = output_is_behind(&monitor->outputs[MONITOR_STDOUT], client) ||
                      output_is_behind(&monitor->outputs[MONITOR_STDERR], client);
        if (behind && now - client->progress_at_ms < CLIENT_STALL_MS) {
            return false;
        }
    }
    return true;
}

static void give_memory_back(struct monitor *monitor)
{
    log_file_idle(&monitor->log);
    input_idle(&monitor->input);
    for (int i = 0; i < MONITOR_STREAMS; i++) {
        output_idle(&monitor->outputs[i]);
    }
    monitor->warm = false;
}

static void copy_outputs(struct monitor *monitor)
{
    for (int i = 0; i < MONITOR_STREAMS; i++) {
        output_copy(&monitor->outputs[i], &monitor->clients, monitor->phase == MONITOR_RUNNING);
    }
}

void monitor_run(struct monitor *monitor)
{
    struct wait_set set;
    while (!is_done(monitor)) {
        collect(monitor, &set);
        int ready = poll(set.fds, set.n, wait_ms(monitor));
        bool process_ended = false;
        if (ready == 0 && monitor->log.pack.pending) {
            log_pack_step(&monitor->log.pack);
        } else if (ready == 0 && monitor->warm && monitor->phase == MONITOR_RUNNING) {
            give_memory_back(monitor);
        }
        monitor->outputs[MONITOR_STDOUT].hung_up = false;
        for (nfds_t slot = 0; ready > 0 && slot < set.n; slot++) {
            if (set.fds[slot].revents != 0) {
                process_ended = process_ended || set.slots[slot].source == SOURCE_PROCESS;
                step(monitor, &set, slot);
                monitor->warm = monitor->phase == MONITOR_RUNNING;
            }
        }
        copy_outputs(monitor);
        advance_phase(monitor, process_ended);
        if (monitor->phase == MONITOR_FINISHED) {
            copy_outputs(monitor);
        }
        for (size_t i = 0; i < MONITOR_CONNECTIONS_MAX; i++) {
            monitor_tell(monitor, &monitor->connections[i]);
        }
    }
}
