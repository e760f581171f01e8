/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /containers/{id}/changes: what a container changed of its image. Paths are the container's and may be any bytes.
 */
#include "engine_call.h"
#include "handlers.h"

/* Docker's numbers. */
static int kind_number(Bulkhead__ChangeKind kind)
{
    switch (kind) {
    case BULKHEAD__CHANGE_KIND__CHANGE_KIND_ADDED:
        return 1;
    case BULKHEAD__CHANGE_KIND__CHANGE_KIND_DELETED:
        return 2;
    default:
        return 0;
    }
}

static void write_changes(struct json_writer *writer, const Bulkhead__FileChanges *message)
{
    for (size_t i = 0; i < message->n_changes; i++) {
        const Bulkhead__FileChange *change = message->changes[i];
        write_object(writer, NULL);
        write_string_n(writer, "Path", (const char *)change->path.data, change->path.len);
        write_int(writer, "Kind", kind_number(change->kind));
        write_object_end(writer);
    }
}

int handle_container_changes(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    bool any = false;
    Bulkhead__ListChanges question = BULKHEAD__LIST_CHANGES__INIT;
    ENGINE_PACKET(packet, LIST_CHANGES, list_changes, &question);
    if (request_container_name(request, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    if (engine_call_start(request, &packet, NULL, 0, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (engine_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind != BULKHEAD__ENGINE_TO_API__BODY_FILE_CHANGES) {
            break;
        }
        if (!any) {
            write_array(&writer, NULL);
            any = true;
        }
        write_changes(&writer, bh_message_body(message));
    }
    if (any) {
        write_array_end(&writer);
    } else {
        write_null(&writer, NULL); /* as Docker says it */
    }
    write_line_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}
