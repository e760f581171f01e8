/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /networks/create: the client's wish as a typed NetworkRequest. What it says of addresses is network_ipam.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "create.h"
#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"
#include "network_ipam.h"

#define CREATE_DEADLINE_MS 120000U

static int read_families(const json_t *body, Bulkhead__NetworkRequest *request, struct bh_error *error)
{
    int four = 1, six = 0;
    const json_t *enable4 = json_object_get(body, "EnableIPv4"), *enable6 = json_object_get(body, "EnableIPv6");
    if ((enable4 && take_bool(enable4, "EnableIPv4", &four, error) < 0) ||
        (enable6 && take_bool(enable6, "EnableIPv6", &six, error) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < request->n_options; i++) { /* older clients' way of saying it */
        const char *key = request->options[i]->key, *value = request->options[i]->value;
        bool on = strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
        four = strcmp(key, "com.docker.network.enable_ipv4") == 0 ? on : four;
        six = strcmp(key, "com.docker.network.enable_ipv6") == 0 ? on : six;
    }
    request->ipv4 = four;
    request->ipv6 = six;
    return four || six ? 0 : bh_error_set(error, BH_INVALID_ARGUMENT, "IPv4 or IPv6 must be enabled");
}

/* What Docker has for swarms and templates of networks. */
static int refuse_others(const json_t *body, struct bh_error *error)
{
    const char *scope = json_string_value(json_object_get(body, "Scope"));
    const json_t *from = json_object_get(body, "ConfigFrom");
    if (scope && *scope && strcmp(scope, "local") != 0) {
        return bh_error_set(error, BH_PERMISSION_DENIED,
                            strcmp(scope, "swarm") == 0 || strcmp(scope, "global") == 0
                                ? "cannot create a swarm scoped network when swarm is not active"
                                : "invalid scope: it is local");
    }
    if (json_is_true(json_object_get(body, "Ingress"))) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "Ingress network can only be global scope network");
    }
    if (json_is_true(json_object_get(body, "ConfigOnly"))) {
        return bh_error_set(error, BH_UNIMPLEMENTED, "ConfigOnly: networks that are templates are not supported");
    }
    return from && !json_is_default(from)
               ? bh_error_set(error, BH_UNIMPLEMENTED, "ConfigFrom: networks made from templates are not supported")
               : 0;
}

static int read_flags(const json_t *body, Bulkhead__NetworkRequest *request, struct bh_error *error)
{
    int internal = 0, attachable = 0;
    const json_t *labels = json_object_get(body, "Labels"), *options = json_object_get(body, "Options");
    const json_t *internal_value = json_object_get(body, "Internal"), *attach = json_object_get(body, "Attachable");
    if ((internal_value && take_bool(internal_value, "Internal", &internal, error) < 0) ||
        (attach && take_bool(attach, "Attachable", &attachable, error) < 0) ||
        (labels && take_map(labels, "Labels", &request->n_labels, &request->labels, error) < 0) ||
        (options && take_map(options, "Options", &request->n_options, &request->options, error) < 0)) {
        return -1;
    }
    request->internal = internal;
    request->attachable = attachable;
    return 0;
}

static int read_wish(const json_t *body, struct network_wish *wish, struct bh_error *error)
{
    static const char *const known[] = {"Name",    "CheckDuplicate", "Driver",     "Scope",      "Internal",
                                        "Ingress", "Attachable",     "ConfigOnly", "ConfigFrom", "IPAM",
                                        "Options", "EnableIPv4",     "EnableIPv6", "Labels",     NULL};
    Bulkhead__NetworkRequest *request = wish->request;
    if (network_refuse_unknown(body, known, "", error) < 0 ||
        network_take_text(body, "Name", &request->name, error) < 0 ||
        network_take_text(body, "Driver", &request->driver, error) < 0) {
        return -1;
    }
    if (request->name[strspn(request->name, " \t\r\n")] == '\0') {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid name: name is empty");
    }
    if ((*request->driver == '\0' || strcmp(request->driver, "default") == 0) &&
        set_string(&request->driver, "bridge", error) < 0) {
        return -1;
    }
    return refuse_others(body, error) < 0 || read_flags(body, request, error) < 0 ||
                   read_families(body, request, error) < 0 ||
                   network_ipam_read(json_object_get(body, "IPAM"), wish, error) < 0
               ? -1
               : 0;
}

static int create(struct request *request, struct network_wish *wish, struct bh_error *error)
{
    bh_automessage struct bh_message *answer = NULL;
    auto_json_writer writer = {0};
    char id[65];
    Bulkhead__CreateNetwork question = BULKHEAD__CREATE_NETWORK__INIT;
    question.request = wish->request;
    ENGINE_PACKET(packet, CREATE_NETWORK, create_network, &question);
    if (engine_ask(request, &packet, CREATE_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_NETWORK_CREATED, &answer,
                   error) < 0) {
        return -1;
    }
    const Bulkhead__NetworkCreated *created = bh_message_body(answer);
    write_object(&writer, NULL);
    write_string(&writer, "Id", id_hex(&created->id, id));
    write_string(&writer, "Warning", wish->warning);
    write_object_end(&writer);
    return request_answer_json(request, 201, &writer, error);
}

int handle_network_create(struct request *request, struct bh_error *error)
{
    auto_json *body = NULL;
    if (request_read_object(request, false, &body, error) < 0) {
        return -1;
    }
    struct network_wish wish = {.request = malloc(sizeof(*wish.request))};
    if (!wish.request) {
        return out_of_memory(error);
    }
    bulkhead__network_request__init(wish.request);
    int result = read_wish(body, &wish, error) < 0 ? -1 : create(request, &wish, error);
    bulkhead__network_request__free_unpacked(wish.request, NULL);
    return result;
}
