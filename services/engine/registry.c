/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to a fetcher worker; see registry.h.
 */
#include "common/limits.h"
#include "engine_fetcher.pb-c.h"
#include "services/engine/channels.h"
#include "services/engine/registry.h"

#define PACKET(name, kind, field, body)                                                                                \
    Bulkhead__EngineToFetcher name = BULKHEAD__ENGINE_TO_FETCHER__INIT;                                                \
    name.body_case = BULKHEAD__ENGINE_TO_FETCHER__BODY_##kind;                                                         \
    name.field = (body)

/* Connecting, the token's detour, redirects and a few retries fit in here. */
#define REGISTRY_MS 180000U

static ProtobufCBinaryData digest_field(const struct bh_digest *digest)
{
    return (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)digest->bytes};
}

int registry_open(struct job *job, const char *host, const char *repository, Bulkhead__Credentials *credentials,
                  struct bh_channel **ret_registry, struct bh_error *error)
{
    worker_auto struct bh_channel *registry = NULL;
    Bulkhead__OpenRegistry body = BULKHEAD__OPEN_REGISTRY__INIT;
    body.host = (char *)(uintptr_t)host;
    body.repository = (char *)(uintptr_t)repository;
    body.credentials = credentials;
    PACKET(packet, OPEN_REGISTRY, open_registry, &body);
    if (worker_open(job, BH_ROLE_FETCHER, &registry, error) < 0 ||
        job_ask(job, registry, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    *ret_registry = bh_steal_pointer(&registry);
    return 0;
}

int registry_fetch_manifest(struct job *job, struct bh_channel *registry, const char *tag,
                            const struct bh_digest *digest, int pipe, Bulkhead__MediaType *ret_announced,
                            struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__FetchManifest body = BULKHEAD__FETCH_MANIFEST__INIT;
    if (digest) {
        body.which_case = BULKHEAD__FETCH_MANIFEST__WHICH_DIGEST;
        body.digest = digest_field(digest);
    } else {
        body.which_case = BULKHEAD__FETCH_MANIFEST__WHICH_TAG;
        body.tag = (char *)(uintptr_t)tag;
    }
    PACKET(packet, FETCH_MANIFEST, fetch_manifest, &body);
    if (job_ask(job, registry, &packet.base, &pipe, 1, REGISTRY_MS, BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_FETCHED,
                &message, error) < 0) {
        return -1;
    }
    const Bulkhead__ManifestFetched *fetched = bh_message_body(message);
    *ret_announced = fetched->media_type_presence_case == BULKHEAD__MANIFEST_FETCHED__MEDIA_TYPE_PRESENCE_MEDIA_TYPE
                         ? fetched->media_type
                         : BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED;
    return 0;
}

int registry_fetch_blob(struct job *job, struct bh_channel *registry, const struct bh_digest *digest,
                        uint64_t size_bytes, uint64_t offset, int pipe,
                        void (*notify)(void *argument, uint64_t received_bytes), void *argument, struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    Bulkhead__FetchBlob body = BULKHEAD__FETCH_BLOB__INIT;
    body.digest = digest_field(digest);
    body.size_bytes = size_bytes;
    body.offset = offset;
    PACKET(packet, FETCH_BLOB, fetch_blob, &body);
    if (job_call_start(job, registry, &packet.base, &pipe, 1, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind == BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_FETCHED) {
            return 0;
        }
        if (message->kind != BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_PROGRESS) {
            return bh_error_set(error, BH_INTERNAL, "a fetcher answered %u to a blob", message->kind);
        }
        if (notify) {
            notify(argument, ((const Bulkhead__BlobProgress *)bh_message_body(message))->received_bytes);
        }
    }
}

int registry_check_blob(struct job *job, struct bh_channel *registry, const struct bh_digest *digest,
                        struct bh_error *error)
{
    Bulkhead__CheckBlob body = BULKHEAD__CHECK_BLOB__INIT;
    body.digest = digest_field(digest);
    PACKET(packet, CHECK_BLOB, check_blob, &body);
    return job_ask(job, registry, &packet.base, NULL, 0, REGISTRY_MS, BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_AVAILABLE,
                   NULL, error);
}
