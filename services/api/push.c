/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /images/{name}/push: sends an image to its registry and streams the progress. Name, tag and credentials come
 * from the client.
 */
#include <stdio.h>

#include "handlers.h"
#include "progress.h"
#include "registry_auth.h"

/* The path's name and the `tag` parameter as one reference. Without a tag it means every tag of the repository. */
static int push_reference(const struct request *request, char *text, size_t text_bytes, struct bh_error *error)
{
    struct bh_reference parsed;
    const char *tag = http_parameter(&request->target, "tag");
    if (bh_reference_parse(request->name, &parsed, error) < 0) {
        return -1;
    }
    if (parsed.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot push a digest reference");
    }
    bool tagged = tag && *tag;
    if (tagged) {
        /* Docker lets the parameter go before a tag in the path. */
        parsed.tag[0] = '\0';
    }
    char name[BH_REFERENCE_BYTES_MAX + 1];
    (void)bh_reference_format(&parsed, name, sizeof(name));
    int n = snprintf(text, text_bytes, "%s%s%s", name, tagged ? ":" : "", tagged ? tag : "");
    if (n < 0 || (size_t)n >= text_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid reference format: the name is too long");
    }
    return bh_reference_parse(text, &parsed, error);
}

int handle_image_push(struct request *request, struct bh_error *error)
{
    char reference[BH_REFERENCE_BYTES_MAX + BH_TAG_BYTES_MAX];
    auto_engine_call call = {0};
    Bulkhead__PushImage question = BULKHEAD__PUSH_IMAGE__INIT;
    if (push_reference(request, reference, sizeof(reference), error) < 0 ||
        registry_auth_parse(http_head_field(&request->connection->head, "X-Registry-Auth"), &question.credentials,
                            error) < 0) {
        return -1;
    }
    question.reference = reference;
    ENGINE_PACKET(packet, PUSH_IMAGE, push_image, &question);
    int result = engine_call_start(request, &packet, NULL, 0, BH_DEADLINE_JOB_MS, &call, error);
    if (question.credentials) {
        bulkhead__credentials__free_unpacked(question.credentials, NULL);
    }
    return result < 0 ? -1 : stream_progress(request, &call, false, error);
}
