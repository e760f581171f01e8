/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /exec/{id}/start: three pipes between the client and the process, as attach has them. The connection stays until
 * the process has ended, since clients ask for its exit code the moment it closes.
 */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "engine_call.h"
#include "frames.h"
#include "handlers.h"
#include "json_types.h"
#include "pump.h"
#include "stream_ends.h"

#define START_DEADLINE_MS 60000U

struct wish {
    int detach, tty;
    uint32_t rows, columns;
};

static int read_wish(struct request *request, struct wish *wish, struct bh_error *error)
{
    static const char *const known[] = {"Detach", "Tty", "ConsoleSize", NULL};
    auto_json *body = NULL;
    const char *name;
    json_t *value;
    if (request_read_object(request, true, &body, error) < 0 || (body && json_settle_fields(body, known, error) < 0)) {
        return -1;
    }
    json_object_foreach(body, name, value)
    {
        int result = strcmp(name, "Detach") == 0 ? take_bool(value, "Detach", &wish->detach, error)
                     : strcmp(name, "Tty") == 0  ? take_bool(value, "Tty", &wish->tty, error)
                     : strcmp(name, "ConsoleSize") == 0
                         ? take_console_size(value, "ConsoleSize", &wish->rows, &wish->columns, error)
                     : json_is_default(value) || json_is_clients_own(name)
                         ? 0
                         : bh_error_set(error, BH_INVALID_ARGUMENT, "%.64s is not a field of an exec's start", name);
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

/* Starts it with these streams, or detached without any. *ret_answer says ExecRan. */
static int run(struct request *request, const struct wish *wish, const int *fds, size_t n_fds,
               struct bh_message **ret_answer, struct bh_error *error)
{
    auto_engine_call call = {0};
    bh_automessage struct bh_message *answer = NULL;
    Bulkhead__RunExec question = BULKHEAD__RUN_EXEC__INIT;
    question.id = request->name;
    question.rows = wish->rows;
    question.columns = wish->columns;
    ENGINE_PACKET(packet, RUN_EXEC, run_exec, &question);
    if (engine_call_start(request, &packet, fds, n_fds, START_DEADLINE_MS, &call, error) < 0 ||
        engine_call_next(&call, &answer, error) < 0) {
        return -1;
    }
    if (answer->kind != BULKHEAD__ENGINE_TO_API__BODY_EXEC_RAN) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered with message %u", answer->kind);
    }
    *ret_answer = bh_steal_pointer(&answer);
    return 0;
}

static int start_detached(struct request *request, const struct wish *wish, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    if (run(request, wish, NULL, 0, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ExecRan *ran = bh_message_body(answer);
    return *ran->failure
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "OCI runtime exec failed: %.440s: unknown", ran->failure)
               : request_answer_empty(request, 200);
}

/* Docker has given the connection away by then, so that clients find the reason among the output. */
static int send_failure(struct request *request, bool tty, const char *failure)
{
    unsigned char text[FRAME_HEAD_BYTES + BH_ERROR_MESSAGE_SIZE + 64];
    const size_t head = tty ? 0 : FRAME_HEAD_BYTES;
    int n = snprintf((char *)text + head, sizeof(text) - head, "OCI runtime exec failed: %.*s: unknown\r\n",
                     BH_ERROR_MESSAGE_SIZE - 1, failure);
    if (head) {
        frame_head(text, 1, (size_t)n);
    }
    if (connection_hijack(request->connection, stream_media_type(request->version, tty)) == 0) {
        (void)connection_send(request->connection, (const char *)text, head + (size_t)n);
    }
    return 0;
}

/* Until it has ended, or the client has gone. */
static void wait_for_end(struct request *request)
{
    auto_engine_call call = {0};
    Bulkhead__WaitExec question = BULKHEAD__WAIT_EXEC__INIT;
    struct bh_error ignored;
    bool more = true;
    question.id = request->name;
    ENGINE_PACKET(packet, WAIT_EXEC, wait_exec, &question);
    if (engine_call_start(request, &packet, NULL, 0, ENGINE_FOR_EVER_MS, &call, &ignored) < 0) {
        return;
    }
    while (more) {
        bh_automessage struct bh_message *answer = NULL;
        more = engine_call_next(&call, &answer, &ignored) == 0 && answer->more;
    }
}

/* For events: whoever presses the keys may be gone right after, so nobody watches whether he is. */
static void tell_detached(struct request *request)
{
    struct bh_error error = {0};
    Bulkhead__DetachExec question = BULKHEAD__DETACH_EXEC__INIT;
    question.id = request->name;
    ENGINE_PACKET(packet, DETACH_EXEC, detach_exec, &question);
    if (bh_call(request->api->engine, &packet.base, NULL, 0, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, &error) < 0 &&
        error.code != BH_NOT_FOUND) {
        bh_log_failure(BH_LOG_WARNING, &error, "tell that a client has detached");
    }
}

static int pump(struct request *request, struct pump *pump, struct bh_error *error)
{
    const bool any = pump->stdin_to >= 0 || pump->out_from[0] >= 0 || pump->out_from[1] >= 0;
    if (connection_hijack(request->connection, stream_media_type(request->version, pump->tty)) < 0) {
        bh_close(&pump->stdin_to);
        bh_close(&pump->out_from[0]);
        bh_close(&pump->out_from[1]);
        return 0; /* the client is gone */
    }
    pump->early = connection_early_bytes(request->connection, &pump->n_early);
    if (pump_run(pump, error) < 0) {
        return -1;
    }
    if (pump->detached) {
        tell_detached(request);
    } else if (any && !pump->gone) {
        wait_for_end(request);
    }
    return 0;
}

static int start_attached(struct request *request, const struct wish *wish, const Bulkhead__ExecRequest *exec,
                          struct bh_error *error)
{
    const bool wanted[3] = {exec->attach_stdin, exec->attach_stdout, exec->attach_stderr};
    struct stream_ends streams[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
    struct pump pumping = {
        .client = request->connection->fd, .stdin_to = -1, .out_from = {-1, -1}, .tty = wish->tty != 0};
    bh_automessage struct bh_message *answer = NULL;
    int result = detach_keys_parse(exec->detach_keys, &pumping.keys, error);
    for (unsigned i = 0; i < 3 && result == 0; i++) {
        result = stream_ends_make(request->api, i, wanted[i], &streams[i], error);
    }
    if (result == 0) {
        const int theirs[3] = {streams[0].theirs, streams[1].theirs, streams[2].theirs};
        result = run(request, wish, theirs, 3, &answer, error);
    }
    const Bulkhead__ExecRan *ran = result == 0 ? bh_message_body(answer) : NULL;
    if (ran && !*ran->failure) {
        pumping.stdin_to = bh_steal_fd(&streams[0].ours);
        pumping.out_from[0] = bh_steal_fd(&streams[1].ours);
        pumping.out_from[1] = bh_steal_fd(&streams[2].ours);
    }
    for (unsigned i = 0; i < 3; i++) {
        stream_ends_close(&streams[i]);
    }
    if (!ran) {
        return -1;
    }
    return *ran->failure ? send_failure(request, pumping.tty, ran->failure) : pump(request, &pumping, error);
}

int handle_exec_start(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    struct wish wish = {0};
    Bulkhead__LookUpExec question = BULKHEAD__LOOK_UP_EXEC__INIT;
    if (read_wish(request, &wish, error) < 0) {
        return -1;
    }
    if (wish.detach) {
        return start_detached(request, &wish, error);
    }
    question.id = request->name;
    ENGINE_PACKET(packet, LOOK_UP_EXEC, look_up_exec, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_EXEC_DETAILS, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ExecDetails *details = bh_message_body(answer);
    return details->request ? start_attached(request, &wish, details->request, error)
                            : bh_error_set(error, BH_INTERNAL, "the engine answered half an exec");
}
