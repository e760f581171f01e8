/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens to a container between its creation and its end: start, stop, restart, kill, wait, delete, rename,
 * pause, resize. Parameters come from clients.
 */
#include <ctype.h>
#include <string.h>

#include "engine_call.h"
#include "handlers.h"
#include "signals.h"

#define START_DEADLINE_MS 120000U
#define STOP_MARGIN_MS    60000U /* beyond the client's own timeout: for the kill and the clean-up */

/* Done is `status`; Unchanged is 304 where Docker says so. */
static int answer_done(struct request *request, const struct bh_message *answer, int status, struct bh_error *error)
{
    switch (answer->kind) {
    case BULKHEAD__ENGINE_TO_API__BODY_DONE:
        return request_answer_empty(request, status);
    case BULKHEAD__ENGINE_TO_API__BODY_UNCHANGED:
        return request_answer_empty(request, 304);
    default:
        return bh_error_set(error, BH_INTERNAL, "the engine answered with message %u", answer->kind);
    }
}

static int ask_and_answer(struct request *request, Bulkhead__ApiToEngine *packet, uint32_t deadline_ms, int status,
                          struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    if (engine_ask(request, packet, deadline_ms, 0, &answer, error) < 0) {
        return -1;
    }
    return answer_done(request, answer, status, error);
}

/* A program that cannot be executed ("exec: …" is what the executor says of it) answers as Docker does: clients look
 * for the words in it to choose exit code 127 or 126. Other failures keep their own words and status. */
static int word_start_failure(struct bh_error *error)
{
    char text[BH_ERROR_MESSAGE_SIZE];
    bool programs = error->code == BH_NOT_FOUND || error->code == BH_PERMISSION_DENIED;
    if (!programs || strncmp(error->message, "exec", strlen("exec")) != 0) {
        return -1;
    }
    bh_error_format(error, text, sizeof(text));
    bh_error_clear(error);
    return bh_error_set(error, BH_INVALID_ARGUMENT, "failed to create task for container: %.440s: unknown", text);
}

int handle_container_start(struct request *request, struct bh_error *error)
{
    Bulkhead__RunContainer question = BULKHEAD__RUN_CONTAINER__INIT;
    if (request_container_name(request, error) < 0 || request_drop_body(request, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    ENGINE_PACKET(packet, RUN_CONTAINER, run_container, &question);
    return ask_and_answer(request, &packet, START_DEADLINE_MS, 204, error) < 0 ? word_start_failure(error) : 0;
}

/* `t` and `signal`, as stop and restart take them. *ret_timeout_s is -2 if none was given. */
static int stop_parameters(struct request *request, int64_t *ret_timeout_s, const char **ret_signal,
                           uint32_t *ret_deadline_ms, struct bh_error *error)
{
    const char *signal = http_parameter(&request->target, "signal");
    *ret_timeout_s = -2;
    if (request_container_name(request, error) < 0 || request_drop_body(request, error) < 0 ||
        http_parameter_int(&request->target, "t", -1, INT32_MAX, ret_timeout_s, error) < 0) {
        return -1;
    }
    if (signal && *signal && !signal_is_known(signal)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid signal: %s", signal);
    }
    *ret_signal = signal && *signal ? signal : "";
    /* Without `t` the container's own stop timeout counts, which the engine knows. */
    *ret_deadline_ms = *ret_timeout_s < 0 || *ret_timeout_s > 4000000
                           ? ENGINE_FOR_EVER_MS
                           : (uint32_t)*ret_timeout_s * 1000U + STOP_MARGIN_MS;
    return 0;
}

int handle_container_stop(struct request *request, struct bh_error *error)
{
    Bulkhead__StopContainer question = BULKHEAD__STOP_CONTAINER__INIT;
    int64_t timeout_s;
    const char *signal;
    uint32_t deadline_ms;
    if (stop_parameters(request, &timeout_s, &signal, &deadline_ms, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.signal = (char *)(uintptr_t)signal;
    if (timeout_s != -2) {
        question.timeout_s_presence_case = BULKHEAD__STOP_CONTAINER__TIMEOUT_S_PRESENCE_TIMEOUT_S;
        question.timeout_s = timeout_s < 0 ? UINT32_MAX : (uint32_t)timeout_s;
    }
    ENGINE_PACKET(packet, STOP_CONTAINER, stop_container, &question);
    return ask_and_answer(request, &packet, deadline_ms, 204, error);
}

int handle_container_restart(struct request *request, struct bh_error *error)
{
    Bulkhead__RestartContainer question = BULKHEAD__RESTART_CONTAINER__INIT;
    int64_t timeout_s;
    const char *signal;
    uint32_t deadline_ms;
    if (stop_parameters(request, &timeout_s, &signal, &deadline_ms, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.signal = (char *)(uintptr_t)signal;
    if (timeout_s != -2) {
        question.timeout_s_presence_case = BULKHEAD__RESTART_CONTAINER__TIMEOUT_S_PRESENCE_TIMEOUT_S;
        question.timeout_s = timeout_s < 0 ? UINT32_MAX : (uint32_t)timeout_s;
    }
    ENGINE_PACKET(packet, RESTART_CONTAINER, restart_container, &question);
    return ask_and_answer(request, &packet, deadline_ms, 204, error) < 0 ? word_start_failure(error) : 0;
}

int handle_container_kill(struct request *request, struct bh_error *error)
{
    Bulkhead__KillContainer question = BULKHEAD__KILL_CONTAINER__INIT;
    const char *signal = http_parameter(&request->target, "signal");
    if (request_container_name(request, error) < 0 || request_drop_body(request, error) < 0) {
        return -1;
    }
    if (signal && *signal && !signal_is_known(signal)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid signal: %s", signal);
    }
    question.reference = request->name;
    question.signal = signal && *signal ? (char *)(uintptr_t)signal : (char *)(uintptr_t) "SIGKILL";
    ENGINE_PACKET(packet, KILL_CONTAINER, kill_container, &question);
    return ask_and_answer(request, &packet, 0, 204, error);
}

static int wait_condition(const struct request *request, Bulkhead__WaitCondition *ret_condition, struct bh_error *error)
{
    static const struct {
        const char *name;
        Bulkhead__WaitCondition condition;
    } conditions[] = {
        {"", BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_NOT_RUNNING},
        {"not-running", BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_NOT_RUNNING},
        {"next-exit", BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_NEXT_EXIT},
        {"removed", BULKHEAD__WAIT_CONDITION__WAIT_CONDITION_REMOVED},
    };
    const char *name = http_parameter(&request->target, "condition");
    if (!name || request->version < 30) {
        name = "";
    }
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (strcmp(conditions[i].name, name) == 0) {
            *ret_condition = conditions[i].condition;
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid condition: \"%s\"", name);
}

static void stream_waited(struct request *request, const Bulkhead__Waited *waited)
{
    auto_json_writer writer = {0};
    write_object(&writer, NULL);
    if (*waited->error) {
        write_object(&writer, "Error");
        write_string(&writer, "Message", waited->error);
        write_object_end(&writer);
    } else if (request->version < 30) {
        write_null(&writer, "Error");
    }
    write_int(&writer, "StatusCode", waited->exit_code);
    write_object_end(&writer);
    write_line_end(&writer);
    if (!writer.failed && connection_stream_write(request->connection, writer.bytes, writer.n_bytes) == 0) {
        (void)connection_stream_end(request->connection);
    }
}

int handle_container_wait(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    Bulkhead__WaitContainer question = BULKHEAD__WAIT_CONTAINER__INIT;
    if (request_container_name(request, error) < 0 || request_drop_body(request, error) < 0 ||
        wait_condition(request, &question.condition, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    ENGINE_PACKET(packet, WAIT_CONTAINER, wait_container, &question);
    if (engine_call_start(request, &packet, NULL, 0, ENGINE_FOR_EVER_MS, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        /* The head goes out as soon as the engine watches: clients start the container only then. */
        if (!request->connection->streaming &&
            connection_stream_begin(request->connection, 200, "application/json") < 0) {
            return 0;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_WAITED) {
            stream_waited(request, bh_message_body(answer));
            return 0;
        }
        if (!answer->more) {
            return bh_error_set(error, BH_INTERNAL, "the engine ended a wait without an exit code");
        }
    }
}

int handle_container_delete(struct request *request, struct bh_error *error)
{
    Bulkhead__DeleteContainer question = BULKHEAD__DELETE_CONTAINER__INIT;
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    if (http_parameter_bool(&request->target, "link", false)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a link is named CONTAINER/ALIAS, not \"%s\"", request->name);
    }
    question.reference = request->name;
    question.force = http_parameter_bool(&request->target, "force", false);
    question.volumes = http_parameter_bool(&request->target, "v", false);
    ENGINE_PACKET(packet, DELETE_CONTAINER, delete_container, &question);
    return ask_and_answer(request, &packet, START_DEADLINE_MS, 204, error);
}

/* DELETE /containers/CONTAINER/ALIAS?link=1: a name with a slash is a link's. */
int handle_link_delete(struct request *request, struct bh_error *error)
{
    Bulkhead__DeleteContainer question = BULKHEAD__DELETE_CONTAINER__INIT;
    char *slash = strrchr(request->name, '/'), *alias = slash ? slash + 1 : request->name;
    if (!slash || !http_parameter_bool(&request->target, "link", false)) {
        return bh_error_set(error, BH_NOT_FOUND, "No such container: %s", request->name);
    }
    *slash = '\0';
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.link = alias;
    ENGINE_PACKET(packet, DELETE_CONTAINER, delete_container, &question);
    return ask_and_answer(request, &packet, 0, 204, error);
}

int handle_container_rename(struct request *request, struct bh_error *error)
{
    Bulkhead__RenameContainer question = BULKHEAD__RENAME_CONTAINER__INIT;
    const char *name = http_parameter(&request->target, "name");
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    if (!name || *name == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Neither old nor new names may be empty");
    }
    name += *name == '/';
    if (container_name_check(name, error) < 0) {
        return bh_error_wrap(error, "Error when allocating new name");
    }
    question.reference = request->name;
    question.name = (char *)(uintptr_t)name;
    ENGINE_PACKET(packet, RENAME_CONTAINER, rename_container, &question);
    return ask_and_answer(request, &packet, 0, 204, error);
}

static int set_paused(struct request *request, bool paused, struct bh_error *error)
{
    Bulkhead__PauseContainer question = BULKHEAD__PAUSE_CONTAINER__INIT;
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    question.paused = paused;
    ENGINE_PACKET(packet, PAUSE_CONTAINER, pause_container, &question);
    return ask_and_answer(request, &packet, 0, 204, error);
}

int handle_container_pause(struct request *request, struct bh_error *error)
{
    return set_paused(request, true, error);
}

int handle_container_unpause(struct request *request, struct bh_error *error)
{
    return set_paused(request, false, error);
}

int handle_container_resize(struct request *request, struct bh_error *error)
{
    Bulkhead__ResizeContainer question = BULKHEAD__RESIZE_CONTAINER__INIT;
    int64_t rows = -1;
    int64_t columns = -1;
    if (request_container_name(request, error) < 0 ||
        http_parameter_int(&request->target, "h", 0, UINT16_MAX, &rows, error) < 0 ||
        http_parameter_int(&request->target, "w", 0, UINT16_MAX, &columns, error) < 0) {
        return -1;
    }
    if (rows < 0 || columns < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "parameters h and w are needed: the terminal's height and width");
    }
    question.reference = request->name;
    question.rows = (uint32_t)rows;
    question.columns = (uint32_t)columns;
    ENGINE_PACKET(packet, RESIZE_CONTAINER, resize_container, &question);
    return ask_and_answer(request, &packet, 0, 200, error);
}
