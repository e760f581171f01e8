/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to a fetcher worker; see registry.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define REGISTRY_TAGS_MAX 20000 /* of one repository; the fetcher's own bound */

static ProtobufCBinaryData digest_field(const struct bh_digest *digest)
{
    return (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)digest->bytes};
}

static int open_worker(struct job *job, Bulkhead__OpenRegistry *body, struct bh_channel **ret_registry,
                       struct bh_error *error)
{
    worker_auto struct bh_channel *registry = NULL;
    PACKET(packet, OPEN_REGISTRY, open_registry, body);
    if (worker_open(job, BH_ROLE_FETCHER, &registry, error) < 0 ||
        job_ask(job, registry, &packet.base, NULL, 0, 0, BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE, NULL, error) < 0) {
        return -1;
    }
    *ret_registry = bh_steal_pointer(&registry);
    return 0;
}

int registry_open(struct job *job, const char *host, const char *repository, Bulkhead__Credentials *credentials,
                  struct bh_channel **ret_registry, struct bh_error *error)
{
    Bulkhead__OpenRegistry body = BULKHEAD__OPEN_REGISTRY__INIT;
    body.host = (char *)(uintptr_t)host;
    body.repository = (char *)(uintptr_t)repository;
    body.credentials = credentials;
    return open_worker(job, &body, ret_registry, error);
}

int registry_open_push(struct job *job, const char *host, const char *repository, char **also_pull, size_t n_also_pull,
                       Bulkhead__Credentials *credentials, struct bh_channel **ret_registry, struct bh_error *error)
{
    Bulkhead__OpenRegistry body = BULKHEAD__OPEN_REGISTRY__INIT;
    body.host = (char *)(uintptr_t)host;
    body.repository = (char *)(uintptr_t)repository;
    body.credentials = credentials;
    body.push = true;
    body.also_pull = also_pull;
    body.n_also_pull = n_also_pull;
    return open_worker(job, &body, ret_registry, error);
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

/* Takes the last answer to a PushBlob apart. */
static int take_pushed(const Bulkhead__BlobPushed *pushed, Bulkhead__PushOutcome *ret_outcome, char *mounted_from,
                       struct bh_error *error)
{
    int n = snprintf(mounted_from, BH_REPOSITORY_BYTES_MAX + 1, "%s", pushed->mounted_from);
    if (n < 0 || n > BH_REPOSITORY_BYTES_MAX || pushed->outcome == BULKHEAD__PUSH_OUTCOME__PUSH_OUTCOME_UNSPECIFIED) {
        return bh_error_set(error, BH_INTERNAL, "a fetcher answered without an outcome to a push");
    }
    *ret_outcome = pushed->outcome;
    return 0;
}

int registry_push_blob(struct job *job, struct bh_channel *registry, const struct registry_push *push,
                       Bulkhead__PushOutcome *ret_outcome, char mounted_from[static BH_REPOSITORY_BYTES_MAX + 1],
                       struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    Bulkhead__PushBlob body = BULKHEAD__PUSH_BLOB__INIT;
    body.digest = digest_field(&push->digest);
    body.size_bytes = push->size_bytes;
    body.mount_from = push->mount_from;
    body.n_mount_from = push->n_mount_from;
    PACKET(packet, PUSH_BLOB, push_blob, &body);
    if (job_call_start(job, registry, &packet.base, &push->fd, push->fd >= 0 ? 1 : 0, BH_DEADLINE_JOB_MS, &call,
                       error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind == BULKHEAD__FETCHER_TO_ENGINE__BODY_BLOB_PUSHED) {
            return take_pushed(bh_message_body(message), ret_outcome, mounted_from, error);
        }
        if (message->kind != BULKHEAD__FETCHER_TO_ENGINE__BODY_PUSH_PROGRESS) {
            return bh_error_set(error, BH_INTERNAL, "a fetcher answered %u to a push", message->kind);
        }
        if (push->notify) {
            push->notify(push->argument, ((const Bulkhead__PushProgress *)bh_message_body(message))->sent_bytes);
        }
    }
}

int registry_push_manifest(struct job *job, struct bh_channel *registry, const char *tag,
                           Bulkhead__MediaType media_type, int fd, uint64_t size_bytes, struct bh_error *error)
{
    Bulkhead__PushManifest body = BULKHEAD__PUSH_MANIFEST__INIT;
    body.tag = (char *)(uintptr_t)tag;
    body.media_type = media_type;
    body.size_bytes = size_bytes;
    PACKET(packet, PUSH_MANIFEST, push_manifest, &body);
    return job_ask(job, registry, &packet.base, &fd, 1, BH_DEADLINE_JOB_MS,
                   BULKHEAD__FETCHER_TO_ENGINE__BODY_MANIFEST_PUSHED, NULL, error);
}

void registry_tags_end(struct registry_tags *tags)
{
    for (size_t i = 0; i < tags->n_tags; i++) {
        free(tags->tags[i]);
    }
    free(tags->tags);
    *tags = (struct registry_tags){0};
}

static int add_tags(struct registry_tags *tags, const Bulkhead__TagsListed *listed, struct bh_error *error)
{
    if (listed->n_tags > REGISTRY_TAGS_MAX - tags->n_tags) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the repository has more than %d tags", REGISTRY_TAGS_MAX);
    }
    char **grown = reallocarray(tags->tags, tags->n_tags + listed->n_tags + 1, sizeof *grown);
    if (!grown) {
        return bh_error_errno(error, ENOMEM, "list a repository's tags");
    }
    tags->tags = grown;
    for (size_t i = 0; i < listed->n_tags; i++) {
        if (strlen(listed->tags[i]) > BH_TAG_BYTES_MAX) {
            return bh_error_set(error, BH_INTERNAL, "a fetcher answered with a tag that is none");
        }
        grown[tags->n_tags] = strdup(listed->tags[i]);
        if (!grown[tags->n_tags]) {
            return bh_error_errno(error, ENOMEM, "list a repository's tags");
        }
        tags->n_tags++;
    }
    return 0;
}

int registry_list_tags(struct job *job, struct bh_channel *registry, struct registry_tags *tags, struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    Bulkhead__ListTags body = BULKHEAD__LIST_TAGS__INIT;
    PACKET(packet, LIST_TAGS, list_tags, &body);
    if (job_call_start(job, registry, &packet.base, NULL, 0, BH_DEADLINE_JOB_MS, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind == BULKHEAD__FETCHER_TO_ENGINE__BODY_DONE) {
            return 0;
        }
        if (message->kind != BULKHEAD__FETCHER_TO_ENGINE__BODY_TAGS_LISTED) {
            return bh_error_set(error, BH_INTERNAL, "a fetcher answered %u to a list of tags", message->kind);
        }
        if (add_tags(tags, bh_message_body(message), error) < 0) {
            return -1;
        }
    }
}
