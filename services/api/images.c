/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on images that are here: list, inspect, history, tag, delete. What is shown was written by whoever made
 * the image.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_call.h"
#include "handlers.h"
#include "image_json.h"
#include "json_types.h"

#define NS_PER_SECOND 1000000000LL

/* GET /images/json?filter=NAME (before 1.41) is filters={"reference":["NAME"]}. */
static int add_old_filter(const struct request *request, struct request_filters *filters, struct bh_error *error)
{
    const char *name = http_parameter(&request->target, "filter");
    if (!name || *name == '\0' || request->version >= 41) {
        return 0;
    }
    Bulkhead__Filter **larger = realloc(filters->filters, (filters->n_filters + 1) * sizeof(*larger));
    Bulkhead__Filter *filter = larger ? malloc(sizeof(*filter)) : NULL;
    if (!larger) {
        return out_of_memory(error);
    }
    filters->filters = larger;
    if (!filter) {
        return out_of_memory(error);
    }
    bulkhead__filter__init(filter);
    filters->filters[filters->n_filters++] = filter;
    filter->values = calloc(1, sizeof(char *));
    char *key = strdup("reference");
    char *value = strdup(name);
    if (!key || !value || !filter->values) {
        free(key);
        free(value);
        return out_of_memory(error);
    }
    filter->key = key;
    filter->values[0] = value;
    filter->n_values = 1;
    return 0;
}

static int list_images(struct request *request, const struct request_filters *filters, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    Bulkhead__ListImages question = BULKHEAD__LIST_IMAGES__INIT;
    question.all = http_parameter_bool(&request->target, "all", false);
    question.shared_size = http_parameter_bool(&request->target, "shared-size", false);
    const struct image_summary_form form = {.version = request->version, .shared_size = question.shared_size};
    question.filters = filters->filters;
    question.n_filters = filters->n_filters;
    ENGINE_PACKET(packet, LIST_IMAGES, list_images, &question);
    if (engine_call_start(request, &packet, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    write_array(&writer, NULL);
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_IMAGE_SUMMARY) {
            write_image_summary(&writer, bh_message_body(answer), &form);
        }
        more = answer->more;
    }
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_images_list(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"reference", "dangling", "label", "before", "since", "until", NULL};
    struct request_filters filters;
    if (request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    int result = add_old_filter(request, &filters, error);
    if (result == 0) {
        result = list_images(request, &filters, error);
    }
    request_filters_free(&filters);
    return result;
}

static int look_up(struct request *request, struct bh_message **ret_answer, struct bh_error *error)
{
    Bulkhead__InspectImage question = BULKHEAD__INSPECT_IMAGE__INIT;
    question.reference = request->name;
    ENGINE_PACKET(packet, INSPECT_IMAGE, inspect_image, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DETAILS, ret_answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ImageDetails *details = bh_message_body(*ret_answer);
    if (!details->summary || !details->config) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered half an image");
    }
    return 0;
}

static void write_root_file_system(struct json_writer *writer, const Bulkhead__ImageConfig *config)
{
    write_object(writer, "GraphDriver");
    write_null(writer, "Data");
    write_string(writer, "Name", "erofs+overlay");
    write_object_end(writer);
    write_object(writer, "RootFS");
    write_string(writer, "Type", "layers");
    write_array(writer, "Layers");
    for (size_t i = 0; i < config->n_diff_ids; i++) {
        write_digest(writer, NULL, &config->diff_ids[i]);
    }
    write_array_end(writer);
    write_object_end(writer);
}

int handle_image_inspect(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    if (look_up(request, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ImageDetails *details = bh_message_body(answer);
    const Bulkhead__ImageConfig *config = details->config;
    write_object(&writer, NULL);
    write_digest(&writer, "Id", &details->summary->id);
    write_image_names(&writer, details->summary, 47);
    write_digest(&writer, "Parent", &details->summary->parent);
    write_string(&writer, "Comment", config->comment);
    write_time(&writer, "Created", config->created_ns);
    if (request->version < 45) {
        write_string(&writer, "Container", "");
    }
    /* Gone from Docker's since API 1.45, but docker-compose 1.29 speaks the newest version there is and cannot do
     * without. */
    Bulkhead__ImageConfig nothing = BULKHEAD__IMAGE_CONFIG__INIT;
    write_image_config(&writer, "ContainerConfig", &nothing);
    write_string(&writer, "DockerVersion", config->docker_version);
    write_string(&writer, "Author", config->author);
    write_image_config(&writer, "Config", config);
    write_string(&writer, "Architecture", config->architecture);
    if (*config->variant) {
        write_string(&writer, "Variant", config->variant);
    }
    write_string(&writer, "Os", config->os);
    write_uint(&writer, "Size", details->summary->size_bytes);
    if (request->version < 44) {
        write_uint(&writer, "VirtualSize", details->summary->size_bytes);
    }
    write_root_file_system(&writer, config);
    write_object(&writer, "Metadata");
    write_time(&writer, "LastTagTime", details->last_tag_ns);
    write_object_end(&writer);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

static void write_history_entry(struct json_writer *writer, const Bulkhead__ImageDetails *details,
                                const Bulkhead__History *entry, bool newest, uint64_t size_bytes)
{
    write_object(writer, NULL);
    write_string(writer, "Comment", entry->comment);
    write_int(writer, "Created", entry->created_ns / NS_PER_SECOND);
    write_string(writer, "CreatedBy", entry->created_by);
    if (newest) {
        write_digest(writer, "Id", &details->summary->id);
    } else {
        write_string(writer, "Id", "<missing>");
    }
    write_uint(writer, "Size", size_bytes);
    write_strings(writer, "Tags", details->summary->tags, newest ? details->summary->n_tags : 0, true);
    write_object_end(writer);
}

int handle_image_history(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    if (look_up(request, &answer, error) < 0) {
        return -1;
    }
    const Bulkhead__ImageDetails *details = bh_message_body(answer);
    const Bulkhead__ImageConfig *config = details->config;
    size_t layer = 0; /* how many entries so far brought a layer: counted up, then walked down */
    for (size_t i = 0; i < config->n_history; i++) {
        layer += !config->history[i]->empty_layer;
    }
    write_array(&writer, NULL);
    for (size_t i = config->n_history; i-- > 0;) {
        const Bulkhead__History *entry = config->history[i];
        layer -= !entry->empty_layer;
        bool sized = !entry->empty_layer && layer < details->n_layers;
        write_history_entry(&writer, details, entry, i + 1 == config->n_history,
                            sized ? details->layers[layer]->size_bytes : 0);
    }
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_image_tag(struct request *request, struct bh_error *error)
{
    const char *repository = http_parameter(&request->target, "repo");
    const char *tag = http_parameter(&request->target, "tag");
    char target[BH_REFERENCE_BYTES_MAX + BH_TAG_BYTES_MAX + 2];
    struct bh_reference parsed;
    if (!repository || *repository == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "parameter repo is missing: it must name the new tag's repository");
    }
    int n = tag && *tag ? snprintf(target, sizeof(target), "%s:%s", repository, tag)
                        : snprintf(target, sizeof(target), "%s", repository);
    if (n < 0 || (size_t)n >= sizeof(target)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: the name is too long");
    }
    if (request_drop_body(request, error) < 0 || bh_reference_parse(target, &parsed, error) < 0) {
        return -1;
    }
    if (parsed.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "refusing to create a tag with a digest reference");
    }
    Bulkhead__TagImage question = BULKHEAD__TAG_IMAGE__INIT;
    question.source = request->name;
    question.target = target;
    ENGINE_PACKET(packet, TAG_IMAGE, tag_image, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 201);
}

static void write_deleted(struct json_writer *writer, const Bulkhead__ImageDeleted *deleted)
{
    write_object(writer, NULL);
    if (deleted->what_case == BULKHEAD__IMAGE_DELETED__WHAT_UNTAGGED) {
        write_string(writer, "Untagged", deleted->untagged);
    } else {
        write_digest(writer, "Deleted", &deleted->deleted);
    }
    write_object_end(writer);
}

/* Writes the array of what was deleted; *ret_last is the answer after it. */
static int write_all_deleted(struct engine_call *call, struct json_writer *writer, const char *key,
                             struct bh_message **ret_last, struct bh_error *error)
{
    bool any = false;
    for (;;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind != BULKHEAD__ENGINE_TO_API__BODY_IMAGE_DELETED) {
            if (!any && key) {
                write_null(writer, key);
            } else if (!any) {
                write_array(writer, NULL);
            }
            if (any || !key) {
                write_array_end(writer);
            }
            *ret_last = bh_steal_pointer(&answer);
            return 0;
        }
        if (!any) {
            write_array(writer, key);
        }
        any = true;
        write_deleted(writer, bh_message_body(answer));
    }
}

int handle_images_prune(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"dangling", "until", "label", "label!", NULL};
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    bh_automessage struct bh_message *last = NULL;
    struct request_filters filters;
    if (request_drop_body(request, error) < 0 || request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    Bulkhead__PruneImages question = BULKHEAD__PRUNE_IMAGES__INIT;
    question.filters = filters.filters;
    question.n_filters = filters.n_filters;
    ENGINE_PACKET(packet, PRUNE_IMAGES, prune_images, &question);
    int result = engine_call_start(request, &packet, NULL, 0, BH_DEADLINE_JOB_MS, &call, error);
    request_filters_free(&filters);
    if (result < 0) {
        return -1;
    }
    write_object(&writer, NULL);
    if (write_all_deleted(&call, &writer, "ImagesDeleted", &last, error) < 0) {
        return -1;
    }
    if (last->kind != BULKHEAD__ENGINE_TO_API__BODY_IMAGES_PRUNED) {
        return bh_error_set(error, BH_INTERNAL, "the engine answered a prune with message %u", last->kind);
    }
    write_uint(&writer, "SpaceReclaimed", ((const Bulkhead__ImagesPruned *)bh_message_body(last))->reclaimed_bytes);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_image_delete(struct request *request, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    Bulkhead__DeleteImage question = BULKHEAD__DELETE_IMAGE__INIT;
    question.reference = request->name;
    question.force = http_parameter_bool(&request->target, "force", false);
    question.no_prune = http_parameter_bool(&request->target, "noprune", false);
    ENGINE_PACKET(packet, DELETE_IMAGE, delete_image, &question);
    if (engine_call_start(request, &packet, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    bh_automessage struct bh_message *last = NULL;
    if (write_all_deleted(&call, &writer, NULL, &last, error) < 0) {
        return -1;
    }
    return request_answer_json(request, 200, &writer, error);
}
