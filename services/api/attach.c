/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /containers/{id}/attach, and GET .../attach/ws for a WebSocket: three pipes between the client and the
 * container. The engine gets the container's ends before the client hears anything, so that not a byte is lost; then
 * the connection carries raw bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/io.h"
#include "common/log.h"
#include "engine_call.h"
#include "frames.h"
#include "handlers.h"
#include "logs.h"
#include "pump.h"
#include "stream_ends.h"

struct wish {
    bool logs, stream, in, out, err;
    struct detach_keys keys;
    bool websocket;
    char accept[WEBSOCKET_ACCEPT_SIZE];
};

static int ask_engine(struct request *request, const struct wish *wish, const int fds[static 3], bool *ret_tty,
                      int64_t *ret_at_ns, struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__AttachContainer question = BULKHEAD__ATTACH_CONTAINER__INIT;
    question.reference = request->name;
    question.logs = wish->logs;
    question.stdin = wish->in;
    question.stdout = wish->out;
    question.stderr = wish->err;
    ENGINE_PACKET(packet, ATTACH_CONTAINER, attach_container, &question);
    if (engine_call_start(request, &packet, fds, 3, 0, &call, error) < 0 ||
        engine_call_next(&call, &answer, error) < 0) {
        return -1;
    }
    if (answer->kind != BULKHEAD__ENGINE_TO_API__BODY_ATTACHED) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered with message %u", answer->kind);
    }
    const Bulkhead__Attached *attached = bh_message_body(answer);
    *ret_tty = attached->tty;
    *ret_at_ns = attached->at_ns;
    return 0;
}

/* Makes the pipes and hands the container's ends over; ours are in `pump`. What it says from *ret_at_ns on is in them.
 */
static int connect_streams(struct request *request, const struct wish *wish, struct pump *pump, int64_t *ret_at_ns,
                           struct bh_error *error)
{
    const bool wanted[3] = {wish->in, wish->out, wish->err};
    struct stream_ends streams[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int result = 0;
    for (unsigned i = 0; i < 3 && result == 0; i++) {
        result = stream_ends_make(request->api, i, wanted[i], &streams[i], error);
    }
    if (result == 0) {
        const int theirs[3] = {streams[0].theirs, streams[1].theirs, streams[2].theirs};
        result = ask_engine(request, wish, theirs, &pump->tty, ret_at_ns, error);
    }
    if (result == 0) {
        pump->stdin_to = bh_steal_fd(&streams[0].ours);
        pump->out_from[0] = bh_steal_fd(&streams[1].ours);
        pump->out_from[1] = bh_steal_fd(&streams[2].ours);
    }
    for (unsigned i = 0; i < 3; i++) {
        stream_ends_close(&streams[i]);
    }
    return result;
}

/* What is in the log already, as frames of a WebSocket. */
static int send_framed(struct connection *connection, const void *bytes, size_t n_bytes)
{
    const unsigned char *at = bytes;
    for (size_t n; n_bytes > 0; at += n, n_bytes -= n) {
        unsigned char head[WEBSOCKET_HEAD_BYTES];
        n = n_bytes < WEBSOCKET_PAYLOAD_MAX ? n_bytes : WEBSOCKET_PAYLOAD_MAX;
        size_t n_head = websocket_head(head + sizeof(head), n);
        if (connection_send(connection, head + sizeof(head) - n_head, n_head) < 0 ||
            connection_send(connection, at, n) < 0) {
            return -1;
        }
    }
    return 0;
}

static int answer(struct request *request, const struct wish *wish, bool tty)
{
    return wish->websocket ? connection_hijack_websocket(request->connection, wish->accept)
                           : connection_hijack(request->connection, stream_media_type(request->version, tty));
}

/* For events: whoever presses the keys may be gone right after, so nobody watches whether he is. */
static void tell_detached(struct request *request)
{
    struct bh_error error = {0};
    Bulkhead__DetachContainer question = BULKHEAD__DETACH_CONTAINER__INIT;
    question.reference = request->name;
    ENGINE_PACKET(packet, DETACH_CONTAINER, detach_container, &question);
    if (bh_call(request->api->engine, &packet.base, NULL, 0, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, &error) < 0 &&
        error.code != BH_NOT_FOUND) {
        bh_log_failure(BH_LOG_WARNING, &error, "tell that a client has detached");
    }
}

static void close_streams(struct pump *pump)
{
    bh_close(&pump->stdin_to);
    bh_close(&pump->out_from[0]);
    bh_close(&pump->out_from[1]);
}

/* The head, what is in the log already, and then what comes. */
static int talk(struct request *request, const struct wish *wish, struct log_wish *logs, struct log_reader *reader,
                struct pump *pump, struct bh_error *error)
{
    int result = answer(request, wish, pump->tty);
    if (result == 0 && wish->logs) {
        logs->tty = pump->tty || wish->websocket; /* frames of a WebSocket carry no others */
        result = logs_send(request, logs, reader, error) < 0 ? -1 : 0;
    }
    if (result < 0) {
        close_streams(pump);
        return 0; /* the client is gone, or sees the connection end */
    }
    pump->early = connection_early_bytes(request->connection, &pump->n_early);
    int pumped = wish->stream ? pump_run(pump, error) : 0;
    if (pump->detached) {
        tell_detached(request);
    }
    return pumped;
}

static int read_wish(struct request *request, struct wish *ret_wish, struct bh_error *error)
{
    const struct http_target *target = &request->target;
    *ret_wish = (struct wish){
        .logs = http_parameter_bool(target, "logs", false),
        .stream = http_parameter_bool(target, "stream", false),
        .in = http_parameter_bool(target, "stdin", false),
        .out = http_parameter_bool(target, "stdout", false),
        .err = http_parameter_bool(target, "stderr", false),
    };
    return request_container_name(request, error) < 0 ||
                   detach_keys_parse(http_parameter(target, "detachKeys"), &ret_wish->keys, error) < 0 ||
                   request_drop_body(request, error) < 0
               ? -1
               : 0;
}

/* Who attaches to nothing hears whether the container is there. */
static int look_up(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__LookUpContainer question = BULKHEAD__LOOK_UP_CONTAINER__INIT;
    question.reference = request->name;
    ENGINE_PACKET(packet, LOOK_UP_CONTAINER, look_up_container, &question);
    return engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_DETAILS, &answer, error);
}

/* The streams come first: what the log has from then on comes in them, so that nothing is missed and nothing told
 * twice. */
static int serve(struct request *request, const struct wish *wish, struct bh_error *error)
{
    struct log_reader reader = {0};
    struct websocket websocket = {0};
    struct pump pump = {.client = request->connection->fd,
                        .stdin_to = -1,
                        .out_from = {-1, -1},
                        .keys = wish->keys,
                        .websocket = wish->websocket ? &websocket : NULL};
    struct log_wish logs = {.stdout_wanted = wish->out,
                            .stderr_wanted = wish->err,
                            .send = wish->websocket ? send_framed : connection_send};
    int follow_fd = -1, result = 0;
    if (wish->stream) {
        const int64_t before_ns = bh_wall_ns();
        result = connect_streams(request, wish, &pump, &logs.until_ns, error);
        logs.until_ns = logs.until_ns ? logs.until_ns : before_ns; /* it had not begun to run by then */
    } else if (!wish->logs) {
        result = look_up(request, error);
    }
    if (result == 0 && wish->logs) {
        result = logs_open(request, false, false, &logs, &reader, &follow_fd, error);
        pump.tty = wish->stream ? pump.tty : logs.tty;
    }
    if (result < 0) {
        close_streams(&pump);
    } else {
        result = talk(request, wish, &logs, &reader, &pump, error);
    }
    log_reader_free(&reader);
    return result;
}

int handle_container_attach(struct request *request, struct bh_error *error)
{
    struct wish wish;
    return read_wish(request, &wish, error) < 0 ? -1 : serve(request, &wish, error);
}

int handle_container_attach_websocket(struct request *request, struct bh_error *error)
{
    const struct http_head *head = &request->connection->head;
    const char *upgrade = http_head_field(head, "Upgrade"), *version = http_head_field(head, "Sec-WebSocket-Version");
    const char *connection = http_head_field(head, "Connection");
    struct wish wish;
    if (read_wish(request, &wish, error) < 0) {
        return -1;
    }
    if (!connection || !http_list_has(connection, "Upgrade") || !upgrade || !http_list_has(upgrade, "websocket") ||
        !version || strcmp(version, "13") != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "attaching here takes a WebSocket: Connection: Upgrade, Upgrade: websocket and "
                            "Sec-WebSocket-Version: 13");
    }
    wish.websocket = true;
    return websocket_accept(http_head_field(head, "Sec-WebSocket-Key"), wish.accept, error) < 0
               ? -1
               : serve(request, &wish, error);
}
