/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /containers/prune, and the prune of what this engine does not keep: a build cache.
 */
#include <string.h>

#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"

#define PRUNE_DEADLINE_MS (600U * 1000U) /* thousands of containers on a slow disk */

static int answer_pruned(struct request *request, const Bulkhead__ContainersPruned *pruned, struct bh_error *error)
{
    auto_json_writer writer = {0};
    char id[65];
    write_object(&writer, NULL);
    if (pruned->n_ids == 0) {
        write_null(&writer, "ContainersDeleted");
    } else {
        write_array(&writer, "ContainersDeleted");
        for (size_t i = 0; i < pruned->n_ids; i++) {
            write_string(&writer, NULL, id_hex(&pruned->ids[i], id));
        }
        write_array_end(&writer);
    }
    write_uint(&writer, "SpaceReclaimed", pruned->space_bytes);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_containers_prune(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"until", "label", "label!", NULL};
    bh_automessage struct bh_message *answer = NULL;
    struct request_filters filters;
    Bulkhead__PruneContainers question = BULKHEAD__PRUNE_CONTAINERS__INIT;
    if (request_drop_body(request, error) < 0 || request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    question.filters = filters.filters;
    question.n_filters = filters.n_filters;
    ENGINE_PACKET(packet, PRUNE_CONTAINERS, prune_containers, &question);
    int result = engine_ask(request, &packet, PRUNE_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_CONTAINERS_PRUNED,
                            &answer, error);
    request_filters_free(&filters);
    return result < 0 ? -1 : answer_pruned(request, bh_message_body(answer), error);
}

/* There is none of that type, whatever the filters say: the prune is told of all the same, as Docker does. */
static int prune_nothing(struct request *request, Bulkhead__EventType type, const char *const *allowed,
                         struct bh_error *error)
{
    struct request_filters filters;
    Bulkhead__PruneNothing question = BULKHEAD__PRUNE_NOTHING__INIT;
    if (request_drop_body(request, error) < 0 || request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    request_filters_free(&filters);
    question.type = type;
    ENGINE_PACKET(packet, PRUNE_NOTHING, prune_nothing, &question);
    return engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error);
}

int handle_build_prune(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"until", "id",     "parent",  "type",       "description",
                                          "inuse", "shared", "private", "unused-for", NULL};
    auto_json_writer writer = {0};
    if (prune_nothing(request, BULKHEAD__EVENT_TYPE__EVENT_TYPE_BUILDER, allowed, error) < 0) {
        return -1;
    }
    write_object(&writer, NULL);
    write_null(&writer, "CachesDeleted");
    write_uint(&writer, "SpaceReclaimed", 0);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}
