/* SPDX-License-Identifier: Apache-2.0
 *
 * See distribution.h. Documents go the same way as for a pull: into the store, verified, and read by an extractor's
 * worker. They are nobody's there, and the next garbage collection takes them.
 */
#include "services/engine/distribution.h"

#include <string.h>

#include "common/limits.h"
#include "services/engine/channels.h"
#include "services/engine/documents.h"
#include "services/engine/garbage.h"
#include "services/engine/holds.h"
#include "services/engine/layers.h"
#include "services/engine/manifest_fetch.h"
#include "services/engine/registry.h"
#include "services/engine/resolve.h"
#include "services/engine/sources.h"
#include "services/engine/store.h"

struct inspection {
    struct job *job;
    struct bh_reference reference;
    struct holds holds;
};

static void tell(struct job *job, Bulkhead__MediaType media_type, struct bh_digest *digest, uint64_t n_bytes,
                 Bulkhead__Platform **platforms, size_t n_platforms)
{
    Bulkhead__Descriptor descriptor = BULKHEAD__DESCRIPTOR__INIT;
    Bulkhead__Distribution distribution = BULKHEAD__DISTRIBUTION__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    descriptor.media_type = media_type;
    descriptor.digest = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = digest->bytes};
    descriptor.size_bytes = n_bytes;
    distribution.descriptor = &descriptor;
    distribution.platforms = platforms;
    distribution.n_platforms = n_platforms;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_DISTRIBUTION;
    packet.distribution = &distribution;
    (void)job_reply(job, &packet);
}

static void tell_index(struct job *job, const Bulkhead__ParsedIndex *index, struct bh_digest *digest, uint64_t n_bytes)
{
    Bulkhead__Platform *platforms[BH_INDEX_ENTRIES_MAX];
    size_t n_platforms = 0;
    for (size_t i = 0; i < index->n_entries && n_platforms < BH_INDEX_ENTRIES_MAX; i++) {
        if (index->entries[i]->platform) {
            platforms[n_platforms++] = index->entries[i]->platform;
        }
    }
    tell(job, index->media_type, digest, n_bytes, platforms, n_platforms);
}

/* What one image is for stands in its config. */
static int tell_image(struct inspection *inspection, const struct source *source,
                      const Bulkhead__ParsedManifest *manifest, struct bh_digest *digest, uint64_t n_bytes,
                      struct bh_error *error)
{
    struct job *job = inspection->job;
    const struct layer_source from = {.registry = source->registry, .host = source->host};
    Bulkhead__ImageConfig *config = NULL;
    struct bh_digest id;
    memcpy(id.bytes, manifest->config->digest.data, BH_DIGEST_BYTES);
    if (holds_add(&inspection->holds, job, &id, error) < 0 ||
        blob_ensure(job, &from, &id, manifest->config->size_bytes, error) < 0 ||
        document_parse_config(job, &id, manifest->n_layers, &config, error) < 0) {
        return -1;
    }
    Bulkhead__Platform platform = BULKHEAD__PLATFORM__INIT, *platforms[] = {&platform};
    platform.os = config->os;
    platform.architecture = config->architecture;
    platform.variant = config->variant;
    tell(job, manifest->media_type, digest, n_bytes, platforms, 1);
    bulkhead__image_config__free_unpacked(config, NULL);
    return 0;
}

static int visit(struct source *source, void *argument, struct bh_error *error)
{
    struct inspection *inspection = argument;
    struct job *job = inspection->job;
    document_auto struct document document = {0};
    struct store_content content;
    struct bh_digest digest;
    Bulkhead__MediaType announced;
    const struct bh_digest *expected = inspection->reference.has_digest ? &inspection->reference.digest : NULL;
    if (manifest_fetch(job, source->registry, inspection->reference.tag, expected, &inspection->holds, &digest,
                       &announced, error) < 0 ||
        document_parse(job, &digest, announced, &document, error) < 0 ||
        store_stat(job, &digest, &content, error) < 0) {
        return -1;
    }
    if (document.index) {
        tell_index(job, document.index, &digest, content.blob_bytes);
        return 0;
    }
    return tell_image(inspection, source, document.manifest, &digest, content.blob_bytes, error);
}

int inspect_distribution(struct job *job, struct bh_error *error)
{
    const Bulkhead__InspectDistribution *question = job_body(job);
    struct inspection inspection = {.job = job};
    char name[BH_REFERENCE_BYTES_MAX + 1];
    if (resolve_reference(question->reference, &inspection.reference, name, error) < 0) {
        return -1;
    }
    int result = sources_visit(job, &inspection.reference, question->credentials, visit, &inspection, error);
    holds_end(&inspection.holds);
    garbage_start(job->engine);
    return result;
}

/* ---- search --------------------------------------------------------------------------------------- */

static void tell_found(struct job *job, const Bulkhead__ImageFound *found)
{
    Bulkhead__SearchResult result = BULKHEAD__SEARCH_RESULT__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    result.name = found->name;
    result.description = found->description;
    result.stars = found->stars;
    result.official = found->official;
    result.automated = found->automated;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_SEARCH_RESULT;
    packet.search_result = &result;
    (void)job_more(job, &packet);
}

int search_registry(struct job *job, struct bh_error *error)
{
    const Bulkhead__SearchRegistry *question = job_body(job);
    worker_auto struct bh_channel *registry = NULL;
    job_call_auto struct job_call call = {0};
    Bulkhead__SearchImages body = BULKHEAD__SEARCH_IMAGES__INIT;
    Bulkhead__EngineToFetcher packet = BULKHEAD__ENGINE_TO_FETCHER__INIT;
    body.term = question->term;
    body.limit = question->limit;
    packet.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_SEARCH_IMAGES;
    packet.search_images = &body;
    if (registry_open(job, question->registry_host, "", question->credentials, &registry, error) < 0 ||
        job_call_start(job, registry, &packet.base, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    for (uint32_t n_found = 0;; n_found++) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind != BULKHEAD__FETCHER_TO_ENGINE__BODY_IMAGE_FOUND || n_found >= question->limit) {
            return job_reply_done(job);
        }
        tell_found(job, bh_message_body(message));
    }
}
