/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /containers/{id}/top: what runs in a container, as `ps` would show it from the host: the host's pids and ids.
 */
#include "common/io.h"
#include "engine_call.h"
#include "handlers.h"
#include "process_list.h"
#include "ps_format.h"

#define NS_PER_S 1000000000LL

static void write_list(struct json_writer *writer, const struct ps_format *format, const struct process_list *list,
                       const struct api *api)
{
    static _Thread_local char text[PS_TEXT_SIZE];
    int64_t now_s = bh_wall_ns() / NS_PER_S;
    write_object(writer, NULL);
    write_array(writer, "Titles");
    for (size_t i = 0; i < format->n; i++) {
        write_string(writer, NULL, format->titles[i]);
    }
    write_array_end(writer);
    write_array(writer, "Processes");
    for (size_t p = 0; p < list->n; p++) {
        write_array(writer, NULL);
        for (size_t i = 0; i < format->n; i++) {
            write_string(writer, NULL, ps_cell(format, i, &list->processes[p], list, api, now_s, text));
        }
        write_array_end(writer);
    }
    write_array_end(writer);
    write_object_end(writer);
}

int handle_container_top(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    bh_cleanup(process_list_free) struct process_list list = {0};
    auto_json_writer writer = {0};
    struct ps_format format;
    Bulkhead__GetProcesses question = BULKHEAD__GET_PROCESSES__INIT;
    const char *arguments = http_parameter(&request->target, "ps_args");
    if (request_container_name(request, error) < 0 || ps_parse(arguments ? arguments : "", &format, error) < 0) {
        return -1;
    }
    question.reference = request->name;
    ENGINE_PACKET(packet, GET_PROCESSES, get_processes, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_PROCESSES, &answer, error) < 0) {
        return -1;
    }
    bh_autoclose int fd = bh_message_take_fd(answer, 0);
    if (process_list_read(fd, &list, error) < 0) {
        return -1;
    }
    write_list(&writer, &format, &list, request->api);
    return request_answer_json(request, 200, &writer, error);
}
