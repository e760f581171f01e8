/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /auth: whether a registry accepts a client's credentials. Nothing keeps them: the client does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_call.h"
#include "handlers.h"
#include "registry_auth.h"

#define AUTH_DEADLINE_MS 60000U /* a registry far away may be slow */

/* "https://index.docker.io/v1/" and the like to the host that is asked. */
static int registry_host(const char *address, char *host, size_t host_bytes, struct bh_error *error)
{
    const char *scheme = strstr(address, "://");
    const char *start = scheme ? scheme + 3 : address;
    size_t length = strcspn(start, "/");
    if (length == 0 || length >= host_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid serveraddress \"%s\": it must be like registry.example:5000", address);
    }
    snprintf(host, host_bytes, "%.*s", (int)length, start);
    if (strcmp(host, "index.docker.io") == 0 || strcmp(host, "docker.io") == 0) {
        snprintf(host, host_bytes, "registry-1.docker.io");
    }
    return 0;
}

/* Asks the engine with what the object says. */
static int check_auth(struct request *request, const json_t *object, Bulkhead__CheckAuth *question,
                      struct bh_message **ret_answer, struct bh_error *error)
{
    bh_autofree char *address = NULL;
    char host[256];
    question->credentials = malloc(sizeof(*question->credentials));
    if (!question->credentials) {
        return out_of_memory(error);
    }
    bulkhead__credentials__init(question->credentials);
    if (registry_auth_read(object, question->credentials, &address, error) < 0 ||
        registry_host(address && *address ? address : "https://index.docker.io/v1/", host, sizeof(host), error) < 0) {
        return -1;
    }
    char *copy = strdup(host);
    if (!copy) {
        return out_of_memory(error);
    }
    question->registry_host = copy;
    ENGINE_PACKET(packet, CHECK_AUTH, check_auth, question);
    return engine_ask(request, &packet, AUTH_DEADLINE_MS, BULKHEAD__ENGINE_TO_API__BODY_AUTH_ACCEPTED, ret_answer,
                      error);
}

int handle_auth(struct request *request, struct bh_error *error)
{
    auto_json *object = NULL;
    auto_json_writer writer = {0};
    bh_automessage struct bh_message *answer = NULL;
    if (request_read_object(request, false, &object, error) < 0) {
        return -1;
    }
    Bulkhead__CheckAuth *question = malloc(sizeof(*question));
    if (!question) {
        return out_of_memory(error);
    }
    bulkhead__check_auth__init(question);
    int result = check_auth(request, object, question, &answer, error);
    bulkhead__check_auth__free_unpacked(question, NULL);
    if (result < 0) {
        return -1;
    }
    const Bulkhead__AuthAccepted *accepted = bh_message_body(answer);
    write_object(&writer, NULL);
    write_string(&writer, "IdentityToken", accepted->identity_token);
    write_string(&writer, "Status", "Login Succeeded");
    write_object_end(&writer);
    return request_answer_json(request, 200, &writer, error);
}
