/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /system/df: images, containers and volumes with what they take. There is no build cache.
 */
#include <string.h>

#include "common/io.h"
#include "engine_call.h"
#include "handlers.h"
#include "image_json.h"
#include "summaries.h"

#define DISK_USAGE_DEADLINE_MS (300U * 1000U) /* every file of every container and volume is looked at */

enum kind { IMAGES = 1, CONTAINERS = 2, VOLUMES = 4, BUILD_CACHE = 8, EVERYTHING = 15 };

static const struct {
    const char *name;
    enum kind kind;
} names[] = {{"image", IMAGES}, {"container", CONTAINERS}, {"volume", VOLUMES}, {"build-cache", BUILD_CACHE}};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* `type`, any number of times; none is all. */
static int read_kinds(const struct request *request, unsigned *ret_kinds, struct bh_error *error)
{
    unsigned kinds = 0;
    for (size_t i = 0; request->version >= 42 && i < request->target.n_parameters; i++) {
        const struct http_parameter *parameter = &request->target.parameters[i];
        size_t j = 0;
        if (strcmp(parameter->name, "type") != 0) {
            continue;
        }
        while (j < N_NAMES && strcmp(parameter->value, names[j].name) != 0) {
            j++;
        }
        if (j == N_NAMES) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "unknown object type: %.64s", parameter->value);
        }
        kinds |= names[j].kind;
    }
    *ret_kinds = kinds ? kinds : EVERYTHING;
    return 0;
}

/* Hands every answer to a call to `each`, up to the last. */
static int list(struct request *request, Bulkhead__ApiToEngine *packet,
                void (*each)(struct request *request, const struct bh_message *answer, void *argument), void *argument,
                struct bh_error *error)
{
    auto_engine_call call = {0};
    if (engine_call_start(request, packet, NULL, 0, DISK_USAGE_DEADLINE_MS, &call, error) < 0) {
        return -1;
    }
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        each(request, answer, argument);
        more = answer->more;
    }
    return 0;
}

/* What the layers of all images take is known after the images, and written before them: everything is gathered. */
struct usage {
    struct json_writer images, containers, volumes;
    uint64_t layers_bytes;
    int64_t now_ns;
};

static void usage_free(struct usage *usage)
{
    json_writer_free(&usage->images);
    json_writer_free(&usage->containers);
    json_writer_free(&usage->volumes);
}

static void take(struct request *request, const struct bh_message *answer, void *argument)
{
    struct usage *usage = argument;
    switch (answer->kind) {
    case BULKHEAD__ENGINE_TO_API__BODY_IMAGE_SUMMARY:
        write_image_summary(&usage->images, bh_message_body(answer),
                            &(struct image_summary_form){request->version, true, true});
        break;
    case BULKHEAD__ENGINE_TO_API__BODY_IMAGES_LISTED:
        usage->layers_bytes = ((const Bulkhead__ImagesListed *)bh_message_body(answer))->layers_bytes;
        break;
    case BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_SUMMARY:
        write_container_summary(&usage->containers, bh_message_body(answer), usage->now_ns);
        break;
    case BULKHEAD__ENGINE_TO_API__BODY_VOLUME_DETAILS:
        write_volume(&usage->volumes, bh_message_body(answer));
        break;
    default:
        break;
    }
}

static int gather(struct request *request, unsigned kinds, struct usage *usage, struct bh_error *error)
{
    Bulkhead__ListImages images = BULKHEAD__LIST_IMAGES__INIT;
    Bulkhead__ListContainersOf containers = BULKHEAD__LIST_CONTAINERS_OF__INIT;
    Bulkhead__ListVolumes volumes = BULKHEAD__LIST_VOLUMES__INIT;
    images.shared_size = true;
    containers.all = true;
    containers.size = true;
    volumes.usage = true;
    ENGINE_PACKET(images_packet, LIST_IMAGES, list_images, &images);
    ENGINE_PACKET(containers_packet, LIST_CONTAINERS_OF, list_containers_of, &containers);
    ENGINE_PACKET(volumes_packet, LIST_VOLUMES, list_volumes, &volumes);
    return ((kinds & IMAGES) && list(request, &images_packet, take, usage, error) < 0) ||
                   ((kinds & CONTAINERS) && list(request, &containers_packet, take, usage, error) < 0) ||
                   ((kinds & VOLUMES) && list(request, &volumes_packet, take, usage, error) < 0)
               ? -1
               : 0;
}

/* What was asked for is a list, even an empty one; what was not is null. */
static void write_gathered(struct json_writer *writer, const char *key, struct json_writer *items, bool asked)
{
    if (!asked) {
        write_null(writer, key);
        return;
    }
    write_array(writer, key);
    write_raw(writer, items->bytes, items->n_bytes);
    write_array_end(writer);
    writer->failed = writer->failed || items->failed;
}

int handle_disk_usage(struct request *request, struct bh_error *error)
{
    __attribute__((cleanup(usage_free))) struct usage usage = {.now_ns = bh_wall_ns()};
    auto_json_writer writer = {0};
    struct json_writer none = {0};
    unsigned kinds = 0;
    if (read_kinds(request, &kinds, error) < 0 || gather(request, kinds, &usage, error) < 0) {
        return -1;
    }
    write_object(&writer, NULL);
    write_uint(&writer, "LayersSize", usage.layers_bytes);
    write_gathered(&writer, "Images", &usage.images, kinds & IMAGES);
    write_gathered(&writer, "Containers", &usage.containers, kinds & CONTAINERS);
    write_gathered(&writer, "Volumes", &usage.volumes, kinds & VOLUMES);
    write_gathered(&writer, "BuildCache", &none, kinds & BUILD_CACHE);
    if (request->version < 42) {
        write_uint(&writer, "BuilderSize", 0);
    }
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}
