/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /commit: a container becomes an image. What the image says of itself is put together here, of the client's
 * JSON and instructions and of what the container was created with; its files are none of this process's business.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commit_config.h"
#include "create.h"
#include "engine_call.h"
#include "handlers.h"
#include "json_types.h"

#define TEXT_BYTES_MAX 4096 /* of author and comment */
#define JSON_BYTES_MAX (4 * BH_MIB)

/* The container's name, where other operations have it in the path. */
static int read_container(struct request *request, struct bh_error *error)
{
    const char *container = http_parameter(&request->target, "container");
    if (!container || !*container) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "bad parameter: container cannot be empty");
    }
    int n = snprintf(request->name, sizeof(request->name), "%s", container);
    if (n < 0 || (size_t)n >= sizeof(request->name)) {
        return bh_error_set(error, BH_NOT_FOUND, "No such container: %.64s...", container);
    }
    return request_container_name(request, error);
}

static int read_text(const struct request *request, const char *name, char **ret_text, struct bh_error *error)
{
    const char *text = http_parameter(&request->target, name);
    if (text && strlen(text) > TEXT_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "parameter %s has %zu bytes, at most %d are possible", name,
                            strlen(text), TEXT_BYTES_MAX);
    }
    *ret_text = (char *)(uintptr_t)(text ? text : "");
    return 0;
}

/* `repo` and `tag` as one reference; "" if the image gets no name. */
static int read_reference(const struct request *request, char *text, size_t text_bytes, struct bh_error *error)
{
    struct bh_reference parsed;
    const char *repository = http_parameter(&request->target, "repo");
    const char *tag = http_parameter(&request->target, "tag");
    text[0] = '\0';
    if (!repository || !*repository) {
        return 0;
    }
    bool tagged = tag && *tag;
    int n = snprintf(text, text_bytes, "%s%s%s", repository, tagged ? ":" : "", tagged ? tag : "");
    if (n < 0 || (size_t)n >= text_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: the name is too long");
    }
    if (bh_reference_parse(text, &parsed, error) < 0) {
        return -1;
    }
    return parsed.has_digest
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "refusing to create a tag with a digest reference")
               : 0;
}

/* A ContainerConfig, or nothing ("null" from docker itself). */
static int read_body(struct request *request, json_t **ret_object, struct bh_error *error)
{
    bh_autofree char *body = NULL;
    size_t n_bytes;
    if (connection_read_whole_body(request->connection, JSON_BYTES_MAX, &body, &n_bytes, error) < 0) {
        return -1;
    }
    while (n_bytes > 0 && isspace((unsigned char)body[n_bytes - 1])) {
        body[--n_bytes] = '\0';
    }
    *ret_object = NULL;
    return n_bytes == 0 || strcmp(body, "null") == 0
               ? 0
               : json_parse_object(body, n_bytes, "the request's body", ret_object, error);
}

static int answer(struct request *request, const Bulkhead__ImageCommitted *committed, struct bh_error *error)
{
    auto_json_writer writer = {0};
    struct bh_digest digest;
    char text[BH_DIGEST_TEXT_SIZE] = "";
    if (bh_digest_from_bytes(committed->id.data, committed->id.len, &digest, error) < 0) {
        return -1;
    }
    write_object(&writer, NULL);
    write_string(&writer, "Id", bh_digest_text(&digest, text));
    write_object_end(&writer);
    return request_answer_json(request, 201, &writer, error);
}

static int commit(struct request *request, const Bulkhead__ContainerRequest *body, Bulkhead__CommitContainer *question,
                  struct bh_error *error)
{
    bh_automessage struct bh_message *details = NULL, *committed = NULL;
    char id[65];
    Bulkhead__LookUpContainer look_up = BULKHEAD__LOOK_UP_CONTAINER__INIT;
    look_up.reference = request->name;
    ENGINE_PACKET(first, LOOK_UP_CONTAINER, look_up_container, &look_up);
    ENGINE_PACKET(second, COMMIT_CONTAINER, commit_container, question);
    if (engine_ask(request, &first, 0, BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_DETAILS, &details, error) < 0) {
        return -1;
    }
    const Bulkhead__ContainerDetails *found = bh_message_body(details);
    if (!found->image_config || !found->request) {
        return bh_error_set(error, BH_INTERNAL, "the engine told of a container without its image");
    }
    question->container = (char *)(uintptr_t)id_hex(&found->id, id); /* whatever its name means by then */
    if (commit_config_make(found, body, &request->target, &question->config, error) < 0) {
        return -1;
    }
    int result = engine_ask(request, &second, BH_DEADLINE_JOB_MS, BULKHEAD__ENGINE_TO_API__BODY_IMAGE_COMMITTED,
                            &committed, error);
    bulkhead__image_config__free_unpacked(question->config, NULL);
    question->config = NULL;
    return result < 0 ? -1 : answer(request, bh_message_body(committed), error);
}

int handle_commit(struct request *request, struct bh_error *error)
{
    auto_json *object = NULL;
    char reference[BH_REFERENCE_BYTES_MAX + BH_TAG_BYTES_MAX];
    Bulkhead__CommitContainer question = BULKHEAD__COMMIT_CONTAINER__INIT;
    if (read_container(request, error) < 0 || read_text(request, "author", &question.author, error) < 0 ||
        read_text(request, "comment", &question.comment, error) < 0 ||
        read_reference(request, reference, sizeof(reference), error) < 0 || read_body(request, &object, error) < 0) {
        return -1;
    }
    question.reference = reference;
    question.pause = http_parameter_bool(&request->target, "pause", true);
    if (!object) {
        return commit(request, NULL, &question, error);
    }
    struct create create = {.api = request->api, .request = create_new_request()};
    if (!create.request) {
        return out_of_memory(error);
    }
    int result =
        create_read_config(&create, object, error) < 0 ? -1 : commit(request, create.request, &question, error);
    bulkhead__container_request__free_unpacked(create.request, NULL);
    return result;
}
