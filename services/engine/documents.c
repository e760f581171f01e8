/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about documents; see documents.h. What a worker answers is only as good as the bytes it read: typed,
 * bounded, and still checked here for what the engine relies on.
 */
#include <string.h>

#include "common/limits.h"
#include "services/engine/channels.h"
#include "services/engine/documents.h"
#include "services/engine/store.h"
#include "common/fields.h"

void document_end(struct document *document)
{
    bh_message_free(document->message);
}

/* Opens a stored blob and starts a worker to read it. */
static int open_for_worker(struct job *job, const struct bh_digest *digest, int *ret_fd, struct bh_channel **ret_worker,
                           struct bh_error *error)
{
    uint64_t n_bytes;
    bh_autoclose int fd = -1;
    if (store_open_blob(job, digest, &fd, &n_bytes, error) < 0 ||
        worker_open(job, BH_ROLE_EXTRACTOR, ret_worker, error) < 0) {
        return -1;
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

static int check_manifest(const Bulkhead__ParsedManifest *manifest, struct bh_error *error)
{
    if (!manifest->config || manifest->n_layers > BH_LAYERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a manifest with %zu layers: an image has at most %d",
                            manifest->n_layers, BH_LAYERS_MAX);
    }
    struct bh_digest digest;
    if (bh_digest_from_bytes(manifest->config->digest.data, manifest->config->digest.len, &digest, error) < 0) {
        return -1;
    }
    if (manifest->config->size_bytes > BH_CONFIG_BYTES_MAX || manifest->config->size_bytes == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an image config of %llu bytes: it has 1 to %llu",
                            (unsigned long long)manifest->config->size_bytes, BH_CONFIG_BYTES_MAX);
    }
    for (size_t i = 0; i < manifest->n_layers; i++) {
        const Bulkhead__Descriptor *layer = manifest->layers[i];
        if (bh_digest_from_bytes(layer->digest.data, layer->digest.len, &digest, error) < 0) {
            return -1;
        }
        if (layer->size_bytes > BH_BLOB_BYTES_MAX || layer->size_bytes == 0) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "a layer of %llu bytes: it has 1 to %llu",
                                (unsigned long long)layer->size_bytes, BH_BLOB_BYTES_MAX);
        }
    }
    return 0;
}

int document_parse(struct job *job, const struct bh_digest *digest, Bulkhead__MediaType announced,
                   struct document *ret_document, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    worker_auto struct bh_channel *worker = NULL;
    job_call_auto struct job_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__ParseManifest body = BULKHEAD__PARSE_MANIFEST__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    if (announced != BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED) {
        body.announced_presence_case = BULKHEAD__PARSE_MANIFEST__ANNOUNCED_PRESENCE_ANNOUNCED;
        body.announced = announced;
    }
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_MANIFEST;
    packet.parse_manifest = &body;
    if (open_for_worker(job, digest, &fd, &worker, error) < 0 ||
        job_call_start(job, worker, &packet.base, &fd, 1, 0, &call, error) < 0 ||
        job_call_next(&call, &message, error) < 0) {
        return bh_error_wrap(error, "read the manifest");
    }
    *ret_document = (struct document){0};
    if (message->kind == BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_INDEX) {
        ret_document->index = bh_message_body(message);
    } else if (message->kind == BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_MANIFEST) {
        ret_document->manifest = bh_message_body(message);
        if (check_manifest(ret_document->manifest, error) < 0) {
            return -1;
        }
    } else {
        return bh_error_set(error, BH_INTERNAL, "an extractor answered %u to a manifest", message->kind);
    }
    ret_document->message = bh_steal_pointer(&message);
    return 0;
}

static int check_config(const Bulkhead__ImageConfig *config, size_t n_layers, struct bh_error *error)
{
    if (config->os[0] && strcmp(config->os, "linux") != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "image operating system \"%.32s\" cannot be used on this platform", config->os);
    }
    if (config->n_diff_ids != n_layers) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the image's config names %zu layers and its manifest %zu",
                            config->n_diff_ids, n_layers);
    }
    for (size_t i = 0; i < config->n_diff_ids; i++) {
        struct bh_digest digest;
        if (bh_digest_from_bytes(config->diff_ids[i].data, config->diff_ids[i].len, &digest, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int document_parse_config(struct job *job, const struct bh_digest *digest, size_t n_layers,
                          Bulkhead__ImageConfig **ret_config, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    worker_auto struct bh_channel *worker = NULL;
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__ParseConfig body = BULKHEAD__PARSE_CONFIG__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PARSE_CONFIG;
    packet.parse_config = &body;
    if (open_for_worker(job, digest, &fd, &worker, error) < 0 ||
        job_ask(job, worker, &packet.base, &fd, 1, 0, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_CONFIG, &message, error) <
            0) {
        return bh_error_wrap(error, "read the image's config");
    }
    const Bulkhead__ParsedConfig *parsed = bh_message_body(message);
    ProtobufCMessage *copy = NULL;
    if (!parsed->config) {
        return bh_error_set(error, BH_INTERNAL, "an extractor answered without the config");
    }
    if (check_config(parsed->config, n_layers, error) < 0 || message_copy(&parsed->config->base, &copy, error) < 0) {
        return -1;
    }
    *ret_config = (Bulkhead__ImageConfig *)copy;
    return 0;
}
