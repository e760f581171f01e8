/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /containers/json: one line per container, in Docker's words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "container_json.h"
#include "common/docker_time.h"
#include "engine_call.h"
#include "handlers.h"
#include "summaries.h"
#include "json_types.h"
#include "network_json.h"
#include "ports_json.h"
#include "mounts_json.h"

#define NS_PER_SECOND 1000000000LL

static void describe_status(const Bulkhead__ContainerState *state, int64_t now_ns, char *text, size_t text_bytes)
{
    char duration[HUMAN_DURATION_SIZE];
    switch (state->status) {
    case BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING:
    case BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED:
        human_duration((now_ns - state->started_at_ns) / NS_PER_SECOND, duration);
        if (state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED) {
            snprintf(text, text_bytes, "Up %s (Paused)", duration);
        } else if (state->health) {
            snprintf(text, text_bytes, "Up %s (%s%s)", duration,
                     state->health->status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING ? "health: " : "",
                     health_status_word(state->health->status));
        } else {
            snprintf(text, text_bytes, "Up %s", duration);
        }
        return;
    case BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED:
        human_duration((now_ns - state->finished_at_ns) / NS_PER_SECOND, duration);
        snprintf(text, text_bytes, "Exited (%d) %s ago", state->exit_code, duration);
        return;
    case BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING:
        human_duration((now_ns - state->finished_at_ns) / NS_PER_SECOND, duration);
        snprintf(text, text_bytes, "Restarting (%d) %s ago", state->exit_code, duration);
        return;
    case BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING:
        snprintf(text, text_bytes, "Removal In Progress");
        return;
    case BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD:
        snprintf(text, text_bytes, "Dead");
        return;
    default:
        snprintf(text, text_bytes, "Created");
    }
}

/* The command as one line; words with spaces are quoted, as Docker does. */
static void write_command(struct json_writer *writer, char *const *words, size_t n_words)
{
    char *line = NULL;
    size_t n_bytes = 0;
    FILE *stream = open_memstream(&line, &n_bytes);
    if (!stream) {
        writer->failed = true;
        return;
    }
    for (size_t i = 0; i < n_words; i++) {
        bool quoted = i > 0 && strchr(words[i], ' ');
        fprintf(stream, "%s%s%s%s", i ? " " : "", quoted ? "'" : "", words[i], quoted ? "'" : "");
    }
    if (fclose(stream) != 0) {
        writer->failed = true;
    }
    write_string_n(writer, "Command", line ? line : "", line ? n_bytes : 0);
    free(line);
}

void write_container_summary(struct json_writer *writer, const Bulkhead__ContainerSummary *container, int64_t now_ns)
{
    char id[65];
    char status[96];
    Bulkhead__ContainerState unknown = BULKHEAD__CONTAINER_STATE__INIT;
    const Bulkhead__ContainerState *state = container->state ? container->state : &unknown;
    describe_status(state, now_ns, status, sizeof(status));
    write_object(writer, NULL);
    write_string(writer, "Id", id_hex(&container->id, id));
    write_array(writer, "Names");
    write_format(writer, NULL, "/%s", container->name);
    for (size_t i = 0; i < container->n_link_names; i++) {
        write_format(writer, NULL, "/%s", container->link_names[i]);
    }
    write_array_end(writer);
    write_string(writer, "Image", container->image);
    write_digest(writer, "ImageID", &container->image_id);
    write_command(writer, container->command, container->n_command);
    write_int(writer, "Created", container->created_ns / NS_PER_SECOND);
    write_summary_ports(writer, container);
    if (container->size) { /* zeros are left out, as by Docker */
        if (container->size->own_bytes > 0) {
            write_uint(writer, "SizeRw", container->size->own_bytes);
        }
        write_uint(writer, "SizeRootFs", container->size->own_bytes + container->size->image_bytes);
    }
    write_map(writer, "Labels", container->labels, container->n_labels);
    write_string(writer, "State", container_status_word(state->status));
    write_string(writer, "Status", status);
    write_object(writer, "HostConfig");
    write_string(writer, "NetworkMode", container->network_mode);
    write_object_end(writer);
    write_object(writer, "NetworkSettings");
    write_endpoints(writer, container->endpoints, container->n_endpoints, NULL);
    write_object_end(writer);
    write_mount_points(writer, container->mount_points, container->n_mount_points);
    write_object_end(writer);
}

static int list_containers(struct request *request, Bulkhead__ListContainersOf *question, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    int64_t now_ns = bh_wall_ns();
    ENGINE_PACKET(packet, LIST_CONTAINERS_OF, list_containers_of, question);
    if (engine_call_start(request, &packet, NULL, 0, question->size ? BH_DEADLINE_JOB_MS : 0, &call, error) < 0) {
        return -1;
    }
    write_array(&writer, NULL);
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_SUMMARY) {
            write_container_summary(&writer, bh_message_body(answer), now_ns);
        }
        more = answer->more;
    }
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_containers_list(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"id",       "name",   "label",  "status",  "exited",
                                          "ancestor", "before", "since",  "expose",  "publish",
                                          "network",  "volume", "health", "is-task", NULL};
    struct request_filters filters;
    Bulkhead__ListContainersOf question = BULKHEAD__LIST_CONTAINERS_OF__INIT;
    int64_t limit = 0;
    if (http_parameter_int(&request->target, "limit", INT32_MIN, INT32_MAX, &limit, error) < 0 ||
        request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    question.limit = limit > 0 ? (uint32_t)limit : 0;
    question.size = http_parameter_bool(&request->target, "size", false);
    question.all = http_parameter_bool(&request->target, "all", false);
    question.filters = filters.filters;
    question.n_filters = filters.n_filters;
    int result = list_containers(request, &question, error);
    request_filters_free(&filters);
    return result;
}
