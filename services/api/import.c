/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /images/create?fromSrc=-: the body is a tarball and becomes an image of one layer. What the image says of itself
 * comes from the `changes`, which are read here; the tarball is not.
 */
#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body_pipe.h"
#include "changes.h"
#include "json_types.h"

#define MESSAGE_BYTES_MAX 4096

/* `repo` (which may have a tag of its own) and `tag` as one reference; "" if the image gets no name. */
static int read_reference(const struct request *request, char *text, size_t text_bytes, struct bh_error *error)
{
    struct bh_reference parsed;
    const char *repository = http_parameter(&request->target, "repo");
    const char *tag = http_parameter(&request->target, "tag");
    text[0] = '\0';
    if (!repository || *repository == '\0') {
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
    return parsed.has_digest ? bh_error_set(error, BH_INVALID_ARGUMENT, "cannot import digest reference") : 0;
}

static int answer(struct request *request, const Bulkhead__ImageCreated *created)
{
    auto_json_writer writer = {0};
    struct bh_digest digest;
    char text[BH_DIGEST_TEXT_SIZE] = "";
    if (bh_digest_from_bytes(created->id.data, created->id.len, &digest, NULL) == 0) {
        (void)bh_digest_text(&digest, text);
    }
    write_object(&writer, NULL);
    write_string(&writer, "status", text);
    write_object_end(&writer);
    write_line_end(&writer);
    if (connection_stream_begin(request->connection, 200, "application/json") == 0 && !writer.failed) {
        (void)connection_stream_write(request->connection, writer.bytes, writer.n_bytes);
        (void)connection_stream_end(request->connection);
    }
    return 0;
}

static int import(struct request *request, Bulkhead__ImportImage *question, struct bh_error *error)
{
    auto_engine_call call = {0};
    auto_body_pipe pipe = BODY_PIPE_NONE;
    ENGINE_PACKET(packet, IMPORT_IMAGE, import_image, question);
    if (body_pipe_open(&pipe, error) < 0 ||
        engine_call_start(request, &packet, pipe.theirs, BODY_PIPE_FDS, BH_DEADLINE_JOB_MS, &call, error) < 0 ||
        body_pipe_pump(request, &call, &pipe, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (engine_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind == BULKHEAD__ENGINE_TO_API__BODY_IMAGE_CREATED) {
            return answer(request, bh_message_body(message));
        }
        if (!message->more) { /* those that are followed by others are progress, which Docker does not tell here */
            return bh_error_set(error, BH_INTERNAL, "the engine answered an import with message %u", message->kind);
        }
    }
}

int handle_image_import(struct request *request, const char *source, Bulkhead__Platform *platform,
                        struct bh_error *error)
{
    char reference[BH_REFERENCE_BYTES_MAX + BH_TAG_BYTES_MAX];
    const char *message = http_parameter(&request->target, "message");
    if (strcmp(source, "-") != 0) {
        return bh_error_set(error, BH_UNIMPLEMENTED,
                            "importing from a URL is not supported: download \"%.200s\" and send it as the request's "
                            "body (fromSrc=-)",
                            source);
    }
    if (!connection_has_body(request->connection)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the request's body is empty: it must be a tar archive");
    }
    if (message && strlen(message) > MESSAGE_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the message has %zu bytes, at most %d are possible",
                            strlen(message), MESSAGE_BYTES_MAX);
    }
    Bulkhead__ImageConfig *config = malloc(sizeof(*config));
    if (!config) {
        return out_of_memory(error);
    }
    bulkhead__image_config__init(config);
    Bulkhead__ImportImage question = BULKHEAD__IMPORT_IMAGE__INIT;
    question.reference = reference;
    question.config = config;
    question.platform = platform;
    question.message = (char *)(uintptr_t)(message && *message ? message : "Imported from -");
    int result = read_reference(request, reference, sizeof(reference), error);
    if (result == 0) {
        result = changes_apply_parameters(&request->target, config, error);
    }
    if (result == 0) {
        result = import(request, &question, error);
    }
    bulkhead__image_config__free_unpacked(config, NULL);
    return result;
}
