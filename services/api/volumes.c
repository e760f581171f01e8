/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on volumes: create, list, inspect, delete, prune. Names and options are a client's words; the engine
 * judges them.
 */
#include <stdlib.h>
#include <string.h>

#include "engine_call.h"
#include "handlers.h"
#include "summaries.h"
#include "json_types.h"

#define VOLUME_DEADLINE_MS 60000U
#define NS_PER_SECOND      1000000000LL

static void write_labels(struct json_writer *writer, const char *key, Bulkhead__KeyValue *const *pairs, size_t n_pairs,
                         bool set)
{
    if (set) {
        write_map(writer, key, pairs, n_pairs);
    } else {
        write_null(writer, key);
    }
}

void write_volume(struct json_writer *writer, const Bulkhead__VolumeDetails *volume)
{
    write_object(writer, NULL);
    write_time(writer, "CreatedAt", volume->created_ns - volume->created_ns % NS_PER_SECOND); /* as Docker has it */
    write_string(writer, "Driver", volume->driver);
    write_labels(writer, "Labels", volume->labels, volume->n_labels, volume->labels_set);
    write_string(writer, "Mountpoint", volume->mountpoint);
    write_string(writer, "Name", volume->name);
    write_labels(writer, "Options", volume->options, volume->n_options, volume->options_set);
    write_string(writer, "Scope", "local");
    if (volume->usage) {
        write_object(writer, "UsageData");
        write_int(writer, "RefCount", volume->usage->containers);
        write_int(writer, "Size", volume->usage->size_bytes);
        write_object_end(writer);
    }
    write_object_end(writer);
}

static int ask_for_volume(struct request *request, Bulkhead__ApiToEngine *packet, int status, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    if (engine_ask(request, packet, VOLUME_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_VOLUME_DETAILS, &answer, error) <
        0) {
        return -1;
    }
    write_volume(&writer, bh_message_body(answer));
    return request_answer_json(request, status, &writer, error);
}

/* ---- create ------------------------------------------------------------------------------------ */

static int read_wish(const json_t *body, Bulkhead__CreateVolume *wish, struct bh_error *error)
{
    static const char *const known[] = {"Name", "Driver", "DriverOpts", "Labels", NULL};
    if (json_settle_fields(body, known, error) < 0) {
        return -1;
    }
    const json_t *name = json_object_get(body, "Name"), *driver = json_object_get(body, "Driver");
    const json_t *options = json_object_get(body, "DriverOpts"), *labels = json_object_get(body, "Labels");
    union {
        const json_t *constant;
        json_t *plain;
    } walk = {.constant = body};
    const char *key;
    json_t *item;
    json_object_foreach(walk.plain, key, item)
    {
        bool found = false;
        for (size_t i = 0; known[i]; i++) {
            found = found || strcmp(known[i], key) == 0;
        }
        if (!found && !json_is_empty(item) && !json_is_clients_own(key)) {
            return bh_error_set(error, strcmp(key, "ClusterVolumeSpec") == 0 ? BH_UNAVAILABLE : BH_INVALID_ARGUMENT,
                                strcmp(key, "ClusterVolumeSpec") == 0
                                    ? "%s: cluster volumes need swarm mode, which is not supported"
                                    : "unknown field %.64s",
                                key);
        }
    }
    wish->labels_set = json_is_object(labels);
    wish->options_set = json_is_object(options);
    return (name && take_string(name, "Name", &wish->name, error) < 0) ||
                   (driver && take_string(driver, "Driver", &wish->driver, error) < 0) ||
                   (options && take_map(options, "DriverOpts", &wish->n_options, &wish->options, error) < 0) ||
                   (labels && take_map(labels, "Labels", &wish->n_labels, &wish->labels, error) < 0)
               ? -1
               : 0;
}

static void free_wish(Bulkhead__CreateVolume **wish)
{
    if (*wish) {
        bulkhead__create_volume__free_unpacked(*wish, NULL);
    }
}

int handle_volume_create(struct request *request, struct bh_error *error)
{
    auto_json *body = NULL;
    __attribute__((cleanup(free_wish))) Bulkhead__CreateVolume *wish = malloc(sizeof(*wish));
    if (!wish) {
        return out_of_memory(error);
    }
    bulkhead__create_volume__init(wish);
    if (request_read_object(request, false, &body, error) < 0 || read_wish(body, wish, error) < 0) {
        return -1;
    }
    ENGINE_PACKET(packet, CREATE_VOLUME, create_volume, wish);
    return ask_for_volume(request, &packet, 201, error);
}

/* ---- list and inspect -------------------------------------------------------------------------- */

static int list(struct request *request, const struct request_filters *filters, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    Bulkhead__ListVolumes question = BULKHEAD__LIST_VOLUMES__INIT;
    question.filters = filters->filters;
    question.n_filters = filters->n_filters;
    ENGINE_PACKET(packet, LIST_VOLUMES, list_volumes, &question);
    if (engine_call_start(request, &packet, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    write_object(&writer, NULL);
    write_array(&writer, "Volumes");
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_VOLUME_DETAILS) {
            write_volume(&writer, bh_message_body(answer));
        }
        more = answer->more;
    }
    write_array_end(&writer);
    write_null(&writer, "Warnings");
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_volumes_list(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"dangling", "driver", "label", "name", NULL};
    struct request_filters filters;
    if (request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    int result = list(request, &filters, error);
    request_filters_free(&filters);
    return result;
}

int handle_volume_inspect(struct request *request, struct bh_error *error)
{
    Bulkhead__LookUpVolume question = BULKHEAD__LOOK_UP_VOLUME__INIT;
    question.name = request->name;
    ENGINE_PACKET(packet, LOOK_UP_VOLUME, look_up_volume, &question);
    return ask_for_volume(request, &packet, 200, error);
}

/* ---- delete and prune -------------------------------------------------------------------------- */

int handle_volume_delete(struct request *request, struct bh_error *error)
{
    Bulkhead__DeleteVolume question = BULKHEAD__DELETE_VOLUME__INIT;
    question.name = request->name;
    question.force = http_parameter_bool(&request->target, "force", false);
    ENGINE_PACKET(packet, DELETE_VOLUME, delete_volume, &question);
    if (engine_ask(request, &packet, VOLUME_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 204);
}

/* Takes the filter `all` out of the list. Before 1.42 named volumes were always pruned. */
static int take_all(struct request *request, struct request_filters *filters, bool *ret_all, struct bh_error *error)
{
    *ret_all = request->version < 42;
    for (size_t i = 0; i < filters->n_filters; i++) {
        Bulkhead__Filter *filter = filters->filters[i];
        if (strcmp(filter->key, "all") != 0) {
            continue;
        }
        for (size_t k = 0; k < filter->n_values; k++) {
            const char *value = filter->values[k];
            bool yes = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
            if (!yes && strcmp(value, "false") != 0 && strcmp(value, "0") != 0) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid filter 'all=[%.64s]'", value);
            }
            *ret_all = *ret_all || yes;
        }
        bulkhead__filter__free_unpacked(filter, NULL);
        filters->filters[i] = filters->filters[--filters->n_filters];
        return 0;
    }
    return 0;
}

static int prune(struct request *request, struct request_filters *filters, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    bool all = false;
    Bulkhead__PruneVolumes question = BULKHEAD__PRUNE_VOLUMES__INIT;
    if (take_all(request, filters, &all, error) < 0) {
        return -1;
    }
    question.all = all;
    question.filters = filters->filters;
    question.n_filters = filters->n_filters;
    ENGINE_PACKET(packet, PRUNE_VOLUMES, prune_volumes, &question);
    if (engine_ask(request, &packet, BH_DEADLINE_JOB_MS, BULKHEAD__ENGINE_TO_API__BODY_VOLUMES_PRUNED, &answer, error) <
        0) {
        return -1;
    }
    const Bulkhead__VolumesPruned *pruned = bh_message_body(answer);
    write_object(&writer, NULL);
    write_strings(&writer, "VolumesDeleted", pruned->names, pruned->n_names, false);
    write_uint(&writer, "SpaceReclaimed", pruned->reclaimed_bytes);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_volumes_prune(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"label", "label!", "all", NULL};
    struct request_filters filters;
    if (request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    int result = prune(request, &filters, error);
    request_filters_free(&filters);
    return result;
}
