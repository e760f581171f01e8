/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on networks: list, inspect, delete, prune, connect, disconnect; create is network_create.c's. Names are a
 * client's words; the engine judges them.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "create.h"
#include "endpoint_settings.h"
#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"
#include "network_ipam.h"
#include "network_json.h"

#define NETWORK_DEADLINE_MS 120000U
#define PRUNE_DEADLINE_MS   (600U * 1000U)

/* ---- list and inspect ---------------------------------------------------------------------------- */

static int list(struct request *request, const struct request_filters *filters, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_json_writer writer = {0};
    Bulkhead__ListNetworks question = BULKHEAD__LIST_NETWORKS__INIT;
    question.filters = filters->filters;
    question.n_filters = filters->n_filters;
    ENGINE_PACKET(packet, LIST_NETWORKS, list_networks, &question);
    if (engine_call_start(request, &packet, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    write_array(&writer, NULL);
    for (bool more = true; more;) {
        bh_automessage struct bh_message *answer = NULL;
        if (engine_call_next(&call, &answer, error) < 0) {
            return -1;
        }
        if (answer->kind == BULKHEAD__ENGINE_TO_API__BODY_NETWORK_DETAILS) {
            write_network(&writer, bh_message_body(answer));
        }
        more = answer->more;
    }
    write_array_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_networks_list(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"dangling", "driver", "id", "label", "name", "scope", "type", NULL};
    struct request_filters filters;
    if (request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    int result = list(request, &filters, error);
    request_filters_free(&filters);
    return result;
}

int handle_network_inspect(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    Bulkhead__LookUpNetwork question = BULKHEAD__LOOK_UP_NETWORK__INIT;
    const char *scope = http_parameter(&request->target, "scope");
    if (scope && *scope && strcmp(scope, "local") != 0) {
        return bh_error_set(error, BH_NOT_FOUND, "network %.128s not found", request->name);
    }
    question.reference = request->name;
    ENGINE_PACKET(packet, LOOK_UP_NETWORK, look_up_network, &question);
    if (engine_ask(request, &packet, 0, BULKHEAD__ENGINE_TO_API__BODY_NETWORK_DETAILS, &answer, error) < 0) {
        return -1;
    }
    write_network(&writer, bh_message_body(answer));
    return request_answer_json(request, 200, &writer, error);
}

/* ---- delete and prune ---------------------------------------------------------------------------- */

int handle_network_delete(struct request *request, struct bh_error *error)
{
    Bulkhead__DeleteNetwork question = BULKHEAD__DELETE_NETWORK__INIT;
    question.reference = request->name;
    ENGINE_PACKET(packet, DELETE_NETWORK, delete_network, &question);
    if (request_drop_body(request, error) < 0 ||
        engine_ask(request, &packet, NETWORK_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 204);
}

int handle_networks_prune(struct request *request, struct bh_error *error)
{
    static const char *const allowed[] = {"until", "label", "label!", NULL};
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    struct request_filters filters;
    Bulkhead__PruneNetworks question = BULKHEAD__PRUNE_NETWORKS__INIT;
    if (request_drop_body(request, error) < 0 || request_filters_read(request, allowed, &filters, error) < 0) {
        return -1;
    }
    question.filters = filters.filters;
    question.n_filters = filters.n_filters;
    ENGINE_PACKET(packet, PRUNE_NETWORKS, prune_networks, &question);
    int result =
        engine_ask(request, &packet, PRUNE_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_NETWORKS_PRUNED, &answer, error);
    request_filters_free(&filters);
    if (result < 0) {
        return -1;
    }
    const Bulkhead__NetworksPruned *pruned = bh_message_body(answer);
    write_object(&writer, NULL);
    write_strings(&writer, "NetworksDeleted", pruned->names, pruned->n_names, true);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

/* ---- connect and disconnect ---------------------------------------------------------------------- */

/* "Container" of the body. */
static int read_container(const json_t *body, char **container, struct bh_error *error)
{
    const json_t *name = json_object_get(body, "Container");
    if (name && take_string(name, "Container", container, error) < 0) {
        return -1;
    }
    return **container ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "invalid name or ID supplied: \"\"");
}

static void free_connect(Bulkhead__ConnectNetwork **question)
{
    if (*question) {
        bulkhead__connect_network__free_unpacked(*question, NULL);
    }
}

int handle_network_connect(struct request *request, struct bh_error *error)
{
    static const char *const known[] = {"Container", "EndpointConfig", NULL};
    auto_json *body = NULL;
    __attribute__((cleanup(free_connect))) Bulkhead__ConnectNetwork *question = malloc(sizeof(*question));
    if (!question) {
        return out_of_memory(error);
    }
    bulkhead__connect_network__init(question);
    if (request_read_object(request, false, &body, error) < 0 || network_refuse_unknown(body, known, "", error) < 0 ||
        read_container(body, &question->container, error) < 0 ||
        set_string(&question->reference, request->name, error) < 0 ||
        endpoint_settings_read(json_object_get(body, "EndpointConfig"), request->name, &question->request, error) < 0) {
        return -1;
    }
    ENGINE_PACKET(packet, CONNECT_NETWORK, connect_network, question);
    if (engine_ask(request, &packet, NETWORK_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 200);
}

static void free_disconnect(Bulkhead__DisconnectNetwork **question)
{
    if (*question) {
        bulkhead__disconnect_network__free_unpacked(*question, NULL);
    }
}

int handle_network_disconnect(struct request *request, struct bh_error *error)
{
    static const char *const known[] = {"Container", "Force", NULL};
    auto_json *body = NULL;
    int force = 0;
    __attribute__((cleanup(free_disconnect))) Bulkhead__DisconnectNetwork *question = malloc(sizeof(*question));
    if (!question) {
        return out_of_memory(error);
    }
    bulkhead__disconnect_network__init(question);
    if (request_read_object(request, false, &body, error) < 0 || network_refuse_unknown(body, known, "", error) < 0 ||
        read_container(body, &question->container, error) < 0 ||
        set_string(&question->reference, request->name, error) < 0) {
        return -1;
    }
    const json_t *value = json_object_get(body, "Force");
    if (value && take_bool(value, "Force", &force, error) < 0) {
        return -1;
    }
    question->force = force;
    ENGINE_PACKET(packet, DISCONNECT_NETWORK, disconnect_network, question);
    if (engine_ask(request, &packet, NETWORK_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 200);
}

/* ---- Bulkhead's own ------------------------------------------------------------------------------ */

int handle_networks_check(struct request *request, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    Bulkhead__GetNetworkFindings question = BULKHEAD__GET_NETWORK_FINDINGS__INIT;
    ENGINE_PACKET(packet, GET_NETWORK_FINDINGS, get_network_findings, &question);
    if (engine_ask(request, &packet, NETWORK_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_NETWORKS_CHECKED, &answer,
                   error) < 0) {
        return -1;
    }
    const Bulkhead__NetworksChecked *checked = bh_message_body(answer);
    write_object(&writer, NULL);
    write_strings(&writer, "findings", checked->findings, checked->n_findings, false);
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}

int handle_networks_reload(struct request *request, struct bh_error *error)
{
    Bulkhead__ReloadNetworks question = BULKHEAD__RELOAD_NETWORKS__INIT;
    ENGINE_PACKET(packet, RELOAD_NETWORKS, reload_networks, &question);
    if (request_drop_body(request, error) < 0 ||
        engine_ask(request, &packet, NETWORK_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    return request_answer_empty(request, 204);
}
