/* SPDX-License-Identifier: Apache-2.0
 *
 * Execs as Docker's API has them: create, inspect, resize. Everything that is read here is the client's.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "detach_keys.h"
#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"

/* ---- create -------------------------------------------------------------------------------------- */

static int take_flag(const json_t *value, const char *name, void *slot, struct bh_error *error)
{
    int on = 0;
    if (take_bool(value, name, &on, error) < 0) {
        return -1;
    }
    *(protobuf_c_boolean *)slot = on;
    return 0;
}

static int take_text(const json_t *value, const char *name, void *slot, struct bh_error *error)
{
    return take_string(value, name, slot, error);
}

static int ignore(const json_t *value, const char *name, void *slot, struct bh_error *error)
{
    (void)value;
    (void)name;
    (void)slot;
    (void)error;
    return 0;
}

#define EXEC_AT(member) offsetof(Bulkhead__ExecRequest, member)

static const struct {
    const char *name;
    int (*take)(const json_t *value, const char *name, void *slot, struct bh_error *error);
    size_t offset;
} fields[] = {
    {"AttachStdin", take_flag, EXEC_AT(attach_stdin)},
    {"AttachStdout", take_flag, EXEC_AT(attach_stdout)},
    {"AttachStderr", take_flag, EXEC_AT(attach_stderr)},
    {"Tty", take_flag, EXEC_AT(tty)},
    {"Privileged", take_flag, EXEC_AT(privileged)},
    {"DetachKeys", take_text, EXEC_AT(detach_keys)},
    {"User", take_text, EXEC_AT(user)},
    {"WorkingDir", take_text, EXEC_AT(working_dir)},
    {"Container", ignore, 0}, /* clients repeat what the path says */
    {"Detach", ignore, 0},    /* start says it again, and counts */
};

static int take_field(const char *name, const json_t *value, Bulkhead__ExecRequest *exec, struct bh_error *error)
{
    if (strcmp(name, "Cmd") == 0) {
        return take_words(value, "Cmd", &exec->n_args, &exec->args, error);
    }
    if (strcmp(name, "Env") == 0) {
        return take_strings(value, "Env", &exec->n_env, &exec->env, error);
    }
    if (strcmp(name, "ConsoleSize") == 0) {
        return take_console_size(value, "ConsoleSize", &exec->rows, &exec->columns, error);
    }
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(name, fields[i].name) == 0) {
            return fields[i].take(value, fields[i].name, (char *)exec + fields[i].offset, error);
        }
    }
    return json_is_default(value) || json_is_clients_own(name)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "%.64s is not a field of an exec's configuration", name);
}

static int settle_names(const json_t *object, struct bh_error *error)
{
    static const char *const others[] = {"Cmd", "Env", "ConsoleSize", NULL};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (json_settle_field(object, fields[i].name, error) < 0) {
            return -1;
        }
    }
    return json_settle_fields(object, others, error);
}

static int read_exec(const json_t *object, Bulkhead__ExecRequest *exec, struct bh_error *error)
{
    const char *name;
    json_t *value;
    struct detach_keys keys;
    if (settle_names(object, error) < 0) {
        return -1;
    }
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (take_field(name, value, exec, error) < 0) {
            return -1;
        }
    }
    if (exec->n_args == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "No exec command specified");
    }
    for (size_t i = 0; i < exec->n_env; i++) {
        if (exec->env[i][0] == '\0' || exec->env[i][0] == '=') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid environment variable: \"%s\"", exec->env[i]);
        }
    }
    return detach_keys_parse(exec->detach_keys, &keys, error);
}

int handle_exec_create(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json *body = NULL;
    auto_json_writer writer = {0};
    char id[65];
    Bulkhead__ExecRequest *exec = malloc(sizeof(*exec));
    if (!exec) {
        return out_of_memory(error);
    }
    bulkhead__exec_request__init(exec);
    int result = request_container_name(request, error) < 0 || request_read_object(request, false, &body, error) < 0 ||
                         read_exec(body, exec, error) < 0
                     ? -1
                     : 0;
    if (result == 0) {
        Bulkhead__CreateExec question = BULKHEAD__CREATE_EXEC__INIT;
        question.reference = request->name;
        question.request = exec;
        ENGINE_PACKET(packet, CREATE_EXEC, create_exec, &question);
        result = engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_EXEC_CREATED, &answer, error);
    }
    bulkhead__exec_request__free_unpacked(exec, NULL);
    if (result < 0) {
        return -1;
    }
    const Bulkhead__ExecCreated *created = bh_message_body(answer);
    write_object(&writer, NULL);
    write_string(&writer, "Id", id_hex(&created->id, id));
    write_object_end(&writer);
    return request_answer_json(request, 201, &writer, error);
}

/* ---- inspect ------------------------------------------------------------------------------------- */

/* As bytes in Go's JSON: base64. */
static void write_detach_keys(struct json_writer *writer, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct detach_keys keys = {.n_keys = 0};
    char encoded[(DETACH_KEYS_MAX + 2) / 3 * 4 + 1];
    size_t used = 0;
    struct bh_error ignored;
    if (*text) {
        (void)detach_keys_parse(text, &keys, &ignored);
    }
    for (size_t i = 0; i < keys.n_keys; i += 3) {
        size_t left = keys.n_keys - i;
        unsigned bits = (unsigned)keys.keys[i] << 16 | (left > 1 ? (unsigned)keys.keys[i + 1] << 8 : 0) |
                        (left > 2 ? keys.keys[i + 2] : 0U);
        encoded[used++] = digits[bits >> 18];
        encoded[used++] = digits[bits >> 12 & 63];
        encoded[used++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        encoded[used++] = left > 2 ? digits[bits & 63] : '=';
    }
    encoded[used] = '\0';
    write_string(writer, "DetachKeys", encoded);
}

static void write_process(struct json_writer *writer, const Bulkhead__ExecDetails *details)
{
    const Bulkhead__ExecRequest *exec = details->request;
    write_object(writer, "ProcessConfig");
    write_bool(writer, "tty", exec->tty);
    write_string(writer, "entrypoint", exec->n_args ? exec->args[0] : "");
    write_array(writer, "arguments");
    for (size_t i = 1; i < exec->n_args; i++) {
        write_string(writer, NULL, exec->args[i]);
    }
    write_array_end(writer);
    write_bool(writer, "privileged", exec->privileged);
    if (*details->user) {
        write_string(writer, "user", details->user);
    }
    write_object_end(writer);
}

static void write_details(struct json_writer *writer, const Bulkhead__ExecDetails *details)
{
    char id[65];
    const bool ended = details->status == BULKHEAD__EXEC_STATUS__EXEC_STATUS_ENDED;
    write_object(writer, NULL);
    write_string(writer, "ID", id_hex(&details->id, id));
    write_bool(writer, "Running", details->status == BULKHEAD__EXEC_STATUS__EXEC_STATUS_RUNNING);
    if (ended) {
        write_int(writer, "ExitCode", details->exit_code);
    } else {
        write_null(writer, "ExitCode");
    }
    write_process(writer, details);
    write_bool(writer, "OpenStdin", details->request->attach_stdin);
    write_bool(writer, "OpenStderr", details->request->attach_stderr);
    write_bool(writer, "OpenStdout", details->request->attach_stdout);
    write_bool(writer, "CanRemove", false);
    write_string(writer, "ContainerID", id_hex(&details->container_id, id));
    write_detach_keys(writer, details->request->detach_keys);
    write_int(writer, "Pid", details->pid);
    write_object_end(writer);
}

int handle_exec_inspect(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    Bulkhead__LookUpExec question = BULKHEAD__LOOK_UP_EXEC__INIT;
    question.id = request->name;
    ENGINE_PACKET(packet, LOOK_UP_EXEC, look_up_exec, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_EXEC_DETAILS, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ExecDetails *details = bh_message_body(answer);
    if (!details->request) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered half an exec");
    }
    write_details(&writer, details);
    return request_answer_json(request, 200, &writer, error);
}

/* ---- resize -------------------------------------------------------------------------------------- */

int handle_exec_resize(struct request *request, struct bh_error *error)
{
    Bulkhead__ResizeExec question = BULKHEAD__RESIZE_EXEC__INIT;
    int64_t rows = -1, columns = -1;
    if (request_drop_body(request, error) < 0 ||
        http_parameter_int(&request->target, "h", 0, UINT16_MAX, &rows, error) < 0 ||
        http_parameter_int(&request->target, "w", 0, UINT16_MAX, &columns, error) < 0) {
        return -1;
    }
    if (rows < 0 || columns < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "parameters h and w are needed: the terminal's height and width");
    }
    question.id = request->name;
    question.rows = (uint32_t)rows;
    question.columns = (uint32_t)columns;
    ENGINE_PACKET(packet, RESIZE_EXEC, resize_exec, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 200);
}
