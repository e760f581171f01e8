/* SPDX-License-Identifier: Apache-2.0
 *
 * The dispatch table of a monitor; see service.h.
 */
#include "service.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "common/io.h"
#include "common/log.h"

struct handler {
    uint32_t kind;
    size_t n_fds;
    int (*handle)(struct monitor *monitor, struct connection *connection, struct bh_message *message,
                  struct bh_error *error);
};

static int watch_exit(struct monitor *monitor, struct connection *connection, struct bh_message *message,
                      struct bh_error *error)
{
    (void)monitor; /* monitor_tell() answers, now or later */
    if (connection->watching) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "this connection watches for the exit already");
    }
    connection->watching = true;
    connection->watch_id = message->id;
    return 0;
}

static int follow_log(struct monitor *monitor, struct connection *connection, struct bh_message *message,
                      struct bh_error *error)
{
    (void)monitor;
    if (connection->following) {
        return bh_error_set(error, BH_ALREADY_EXISTS, "this connection follows the log already");
    }
    connection->following = true;
    connection->follow_id = message->id;
    connection->lines_told = UINT64_MAX; /* one LogGrew at once: nothing written before this falls between two chairs */
    return 0;
}

static int attach_streams(struct monitor *monitor, struct connection *connection, struct bh_message *message,
                          struct bh_error *error)
{
    if (monitor->phase != MONITOR_RUNNING) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "attach: the container has ended");
    }
    const int fds[3] = {bh_message_take_fd(message, 0), bh_message_take_fd(message, 1), bh_message_take_fd(message, 2)};
    const uint64_t positions[MONITOR_STREAMS] = {output_position(&monitor->outputs[MONITOR_STDOUT]),
                                                 output_position(&monitor->outputs[MONITOR_STDERR])};
    if (client_table_add(&monitor->clients, fds, positions, error) < 0) {
        return -1;
    }
    if (monitor->input.fd < 0) {
        client_table_close_inputs(&monitor->clients);
    }
    Bulkhead__StreamsAttached attached = BULKHEAD__STREAMS_ATTACHED__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    attached.at_ns = bh_wall_ns();
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_STREAMS_ATTACHED;
    packet.streams_attached = &attached;
    connection_send(connection, message->id, false, &packet);
    return 0;
}

static int resize_terminal(struct monitor *monitor, struct connection *connection, struct bh_message *message,
                           struct bh_error *error)
{
    const Bulkhead__ResizeTerminal *wanted = bh_message_body(message);
    const struct output *terminal = &monitor->outputs[MONITOR_STDOUT];
    if (wanted->rows > UINT16_MAX || wanted->columns > UINT16_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "resize: %u by %u is too large; at most 65535 by 65535",
                            wanted->rows, wanted->columns);
    }
    if (!monitor->start.tty || terminal->fd < 0) {
        connection_send_done(connection, message->id); /* as Docker has it: clients ask without knowing */
        return 0;
    }
    struct winsize size = {.ws_row = (unsigned short)wanted->rows, .ws_col = (unsigned short)wanted->columns};
    if (ioctl(terminal->fd, TIOCSWINSZ, &size) < 0) {
        return bh_error_errno(error, errno, "resize the terminal");
    }
    connection_send_done(connection, message->id);
    return 0;
}

static const struct handler handlers[] = {
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_WATCH_EXIT, 0, watch_exit},
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_ATTACH_STREAMS, 3, attach_streams},
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_FOLLOW_LOG, 0, follow_log},
    {BULKHEAD__ENGINE_TO_MONITOR__BODY_RESIZE_TERMINAL, 0, resize_terminal},
};

/* Gives up what was asked under that id. */
static void cancel(struct connection *connection, uint64_t id)
{
    bool watched = connection->watching && connection->watch_id == id;
    bool followed = connection->following && connection->follow_id == id;
    if (watched || followed) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_CANCELLED, "cancelled by the caller");
        connection->watching = connection->watching && !watched;
        connection->following = connection->following && !followed;
        connection_fail(connection, id, &error);
    }
}

static int dispatch(struct monitor *monitor, struct connection *connection, struct bh_message *message,
                    struct bh_error *error)
{
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        if (handlers[i].kind != message->kind) {
            continue;
        }
        if (message->n_fds != handlers[i].n_fds) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu descriptors came with a request that takes %zu",
                                message->n_fds, handlers[i].n_fds);
        }
        return handlers[i].handle(monitor, connection, message, error);
    }
    return bh_error_set(error, BH_UNIMPLEMENTED, "a request without a body that a monitor knows");
}

void monitor_serve(struct monitor *monitor, struct connection *connection)
{
    struct bh_error error = {0};
    bh_automessage struct bh_message *message = NULL;
    int received = connection_receive(connection, &message, &error);
    if (received < 0) {
        if (error.code == BH_INVALID_ARGUMENT) {
            bh_log_failure(BH_LOG_WARNING, &error, "a peer broke the rules; its connection is closed");
        }
        connection_close(connection);
        return;
    }
    if (received == 0) {
        return;
    }
    if (message->cancel) {
        cancel(connection, message->id);
    } else if (dispatch(monitor, connection, message, &error) < 0) {
        connection_fail(connection, message->id, &error);
    }
}

static void tell_exit(const struct monitor *monitor, struct connection *connection)
{
    Bulkhead__ContainerExited exited = BULKHEAD__CONTAINER_EXITED__INIT;
    exited.exit_code = monitor->end.exit_code;
    exited.oom_killed = monitor->end.oom_killed != 0;
    exited.finished_at_ns = monitor->end.finished_at_ns;
    exited.output = (ProtobufCBinaryData){.len = monitor->kept.n_bytes, .data = monitor->kept.bytes};
    exited.output_cut = monitor->kept.cut;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_CONTAINER_EXITED;
    packet.container_exited = &exited;
    connection->watching = false;
    connection->told = true;
    connection_send(connection, connection->watch_id, false, &packet);
}

static void tell_growth(const struct monitor *monitor, struct connection *connection)
{
    Bulkhead__LogGrew grew = BULKHEAD__LOG_GREW__INIT;
    Bulkhead__MonitorToEngine packet = BULKHEAD__MONITOR_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__MONITOR_TO_ENGINE__BODY_LOG_GREW;
    packet.log_grew = &grew;
    grew.rotations = monitor->log.rotations;
    connection->lines_told = monitor->log.lines;
    connection_send(connection, connection->follow_id, true, &packet);
}

void monitor_tell(struct monitor *monitor, struct connection *connection)
{
    bool finished = monitor->phase == MONITOR_FINISHED;
    if (connection->fd >= 0 && !connection->pending && connection->watching && finished) {
        tell_exit(monitor, connection);
    }
    if (connection->fd >= 0 && !connection->pending && connection->following &&
        connection->lines_told != monitor->log.lines) {
        tell_growth(monitor, connection);
    }
    if (connection->fd >= 0 && !connection->pending && connection->following && finished) {
        connection->following = false;
        connection->told = true;
        connection_send_done(connection, connection->follow_id);
    }
}
