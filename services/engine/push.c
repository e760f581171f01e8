/* SPDX-License-Identifier: Apache-2.0
 *
 * Push; see push.h. An image that was pulled is pushed by the very manifest it came with, so that its digest stays; any
 * other gets one made of its config and layers (manifest_json.h: written
 * from types alone, so that no text from outside is in it). The bytes go from the store's files to the
 * registry through a fetcher's worker: this process hands over descriptors.
 */
#include "services/engine/push.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "services/engine/channels.h"
#include "services/engine/content.h"
#include "services/engine/database_push.h"
#include "services/engine/documents.h"
#include "services/engine/events.h"
#include "services/engine/garbage.h"
#include "services/engine/holds.h"
#include "services/engine/image_events.h"
#include "services/engine/layers.h"
#include "services/engine/manifest_json.h"
#include "services/engine/policy.h"
#include "services/engine/push_layers.h"
#include "services/engine/registry.h"
#include "services/engine/resolve.h"
#include "services/engine/store.h"

#define KIND(name)     BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_##name
#define ALSO_PULL_MAX  8 /* repositories that a token is asked for, to mount blobs from; the fetcher's bound */
#define PROBED_PER_TAG 2

struct push {
    struct job *job;
    struct bh_reference reference;         /* domain and repository; the tag if one was named */
    char name[BH_REFERENCE_BYTES_MAX + 1]; /* "docker.io/library/busybox" */
    struct repository_tag *tags;
    size_t n_tags;
    char *also_pull[ALSO_PULL_MAX];
    size_t n_also_pull;
    struct bh_channel *registry;
};

static void push_end(struct push *push)
{
    worker_close(&push->registry);
    free(push->tags);
    for (size_t i = 0; i < push->n_also_pull; i++) {
        free(push->also_pull[i]);
    }
}
#define push_auto bh_cleanup(push_end)

/* One image on its way under one tag. */
struct pushed_image {
    struct image_row row;
    struct holds holds;
    struct document original; /* the manifest it was pulled by, if there is one that can be pushed again */
    struct push_layer *layers;
    struct bh_digest manifest; /* what is pushed in the end */
    uint64_t manifest_bytes;
    Bulkhead__MediaType media_type;
};

static void pushed_image_end(struct pushed_image *image)
{
    image_row_clear(&image->row);
    holds_end(&image->holds);
    document_end(&image->original);
    free(image->layers);
}
#define pushed_image_auto bh_cleanup(pushed_image_end)

/* ---- what is to be pushed ------------------------------------------------------------------------- */

static int find_tags(struct push *push, struct bh_error *error)
{
    struct job *job = push->job;
    struct database *database = job->engine->database;
    char familiar[BH_REFERENCE_BYTES_MAX + 1];
    struct bh_reference bare = push->reference;
    bare.tag[0] = '\0';
    int known = database_repository_known(database, job->tenant_uid, push->name, error);
    if (known < 0 ||
        database_repository_tags(database, job->tenant_uid, push->name, &push->tags, &push->n_tags, error) < 0) {
        return -1;
    }
    if (!known) {
        return bh_error_set(error, BH_NOT_FOUND, "An image does not exist locally with the tag: %s",
                            bh_reference_familiar(&bare, familiar, sizeof familiar));
    }
    if (!push->reference.tag[0]) {
        return push->n_tags > 0 ? 0
                                : bh_error_set(error, BH_NOT_FOUND, "no tags to push for %s",
                                               bh_reference_familiar(&bare, familiar, sizeof familiar));
    }
    for (size_t i = 0; i < push->n_tags; i++) {
        if (strcmp(push->tags[i].tag, push->reference.tag) == 0) {
            push->tags[0] = push->tags[i];
            push->n_tags = 1;
            return 0;
        }
    }
    return bh_error_set(error, BH_NOT_FOUND, "tag does not exist: %s",
                        bh_reference_familiar(&push->reference, familiar, sizeof familiar));
}

static void add_also_pull(struct push *push, char *repository)
{
    for (size_t i = 0; i < push->n_also_pull; i++) {
        if (strcmp(push->also_pull[i], repository) == 0) {
            free(repository);
            return;
        }
    }
    if (push->n_also_pull == ALSO_PULL_MAX) {
        free(repository);
        return;
    }
    push->also_pull[push->n_also_pull++] = repository;
}

/* The repositories that blobs could be mounted from: a token has to be good for them, too. */
static int find_also_pull(struct push *push, struct bh_error *error)
{
    struct job *job = push->job;
    for (size_t i = 0; i < push->n_tags; i++) {
        image_row_auto struct image_row row = {0};
        if (database_image(job->engine->database, job->tenant_uid, &push->tags[i].image, &row, error) < 0) {
            return -1;
        }
        for (size_t j = 0; j < row.n_layers; j++) {
            struct packed_layer packed = {.digest = row.layers[j].digest};
            char *found[PROBED_PER_TAG];
            size_t n_found = 0;
            if (database_packed_layer(job->engine->database, &row.layers[j].digest, &packed, error) < 0 ||
                database_blob_sources(job->engine->database, job->tenant_uid,
                                      bh_reference_registry_host(&push->reference), &packed.digest,
                                      push->reference.repository, found, PROBED_PER_TAG, &n_found, error) < 0) {
                return -1;
            }
            for (size_t k = 0; k < n_found; k++) {
                add_also_pull(push, found[k]);
            }
        }
    }
    return 0;
}

/* ---- one tag -------------------------------------------------------------------------------------- */

/* Whether a manifest is about exactly these layers and this config. */
static bool describes(const Bulkhead__ParsedManifest *manifest, const struct image_row *row)
{
    if (manifest->n_layers != row->n_layers ||
        memcmp(manifest->config->digest.data, row->id.bytes, BH_DIGEST_BYTES) != 0) {
        return false;
    }
    for (size_t i = 0; i < row->n_layers; i++) {
        if (memcmp(manifest->layers[i]->digest.data, row->layers[i].digest.bytes, BH_DIGEST_BYTES) != 0) {
            return false;
        }
    }
    return true;
}

/* The manifest the image was pulled by, if it is stored and still says what the image is. */
static int read_original(struct job *job, struct pushed_image *image, struct bh_error *error)
{
    static const struct bh_digest none = {0};
    struct store_content content;
    if (bh_digest_equal(&image->row.manifest, &none)) {
        return 0;
    }
    if (holds_add(&image->holds, job, &image->row.manifest, error) < 0 ||
        store_stat(job, &image->row.manifest, &content, error) < 0) {
        return -1;
    }
    if (!content.blob) {
        return 0;
    }
    if (document_parse(job, &image->row.manifest, BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_UNSPECIFIED, &image->original,
                       error) < 0) {
        return -1;
    }
    if (!image->original.manifest || !describes(image->original.manifest, &image->row)) {
        document_end(&image->original);
        image->original = (struct document){0};
        return 0;
    }
    image->manifest = image->row.manifest;
    image->manifest_bytes = content.blob_bytes;
    image->media_type = image->original.manifest->media_type;
    return 0;
}

static int plan_layers(struct job *job, struct pushed_image *image, struct bh_error *error)
{
    const struct image_row *row = &image->row;
    const Bulkhead__ParsedManifest *original = image->original.manifest;
    if (row->config->n_diff_ids != row->n_layers) {
        return bh_error_set(error, BH_INTERNAL, "an image of %zu layers has %zu diff IDs", row->n_layers,
                            row->config->n_diff_ids);
    }
    image->layers = calloc(row->n_layers + 1, sizeof *image->layers);
    if (!image->layers) {
        return bh_error_errno(error, ENOMEM, "list the image's layers");
    }
    for (size_t i = 0; i < row->n_layers; i++) {
        struct push_layer *layer = &image->layers[i];
        layer->source = row->layers[i].digest;
        memcpy(layer->diff_id.bytes, row->config->diff_ids[i].data, BH_DIGEST_BYTES);
        if (original) {
            layer->as_stored = true;
            layer->digest = layer->source;
            layer->size_bytes = original->layers[i]->size_bytes;
        }
        if (holds_add(&image->holds, job, &layer->source, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int push_config(struct push *push, const struct push_target *target, const struct image_row *row,
                       uint64_t *ret_bytes, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    if (store_open_blob(push->job, &row->id, &fd, ret_bytes, error) < 0) {
        return -1;
    }
    return push_blob(push->job, target, &row->id, *ret_bytes, fd, NULL, error);
}

/* Has the engine's own manifest stored, so that it is pushed like any other, and held. */
static int store_manifest(struct job *job, const char *text, size_t n_bytes, struct pushed_image *image,
                          struct bh_error *error)
{
    const struct store_blob blob = {.max_bytes = BH_MANIFEST_BYTES_MAX};
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    if (store_begin_blob(job, &blob, &ingest, error) < 0 ||
        bh_write_all(ingest.pipe, text, n_bytes, "the manifest", error) < 0) {
        return -1;
    }
    bh_close(&ingest.pipe);
    return store_finish_blob(&ingest, &image->manifest, &image->manifest_bytes, error) < 0
               ? -1
               : holds_add(&image->holds, job, &image->manifest, error);
}

static int make_manifest(struct job *job, struct pushed_image *image, uint64_t config_bytes, struct bh_error *error)
{
    size_t n_layers = image->row.n_layers, n_bytes = 0;
    bh_autofree struct manifest_blob *layers = calloc(n_layers + 1, sizeof *layers);
    bh_autofree char *text = NULL;
    bool docker = true;
    if (!layers) {
        return bh_error_errno(error, ENOMEM, "list the manifest's layers");
    }
    for (size_t i = 0; i < n_layers; i++) {
        layers[i] = (struct manifest_blob){.digest = image->layers[i].digest,
                                           .size_bytes = image->layers[i].size_bytes,
                                           .compression = image->layers[i].compression};
        docker = docker && layers[i].compression == BULKHEAD__COMPRESSION__COMPRESSION_GZIP;
    }
    /* Docker's form is what every registry takes; it has no word for zstd. */
    const struct manifest_blob config = {.digest = image->row.id, .size_bytes = config_bytes};
    image->media_type =
        docker ? BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST : BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST;
    int written = docker ? manifest_json_write_docker(&config, layers, n_layers, &text, &n_bytes, error)
                         : manifest_json_write(&config, layers, n_layers, &text, &n_bytes, error);
    if (written < 0 || content_begin_unnamed(job, error) < 0) {
        return -1;
    }
    int result = store_manifest(job, text, n_bytes, image, error);
    content_end_unnamed(job->engine->content);
    return result;
}

static void tell_pushed(struct job *job, const char *tag, const struct pushed_image *image)
{
    char line[BH_TAG_BYTES_MAX + BH_DIGEST_TEXT_SIZE + 64], text[BH_DIGEST_TEXT_SIZE];
    (void)snprintf(line, sizeof line, "%s: digest: %s size: %llu", tag, bh_digest_text(&image->manifest, text),
                   (unsigned long long)image->manifest_bytes);
    progress_text(job, KIND(STATUS), "", line);
    Bulkhead__TagPushed pushed = BULKHEAD__TAG_PUSHED__INIT;
    pushed.tag = (char *)(uintptr_t)tag;
    pushed.digest = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)image->manifest.bytes};
    pushed.size_bytes = image->manifest_bytes;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_TAG_PUSHED;
    packet.tag_pushed = &pushed;
    (void)job_more(job, &packet);
}

/* The image is known by its digest in that repository from now on. It was pushed whatever becomes of this. */
static void record(struct push *push, const struct pushed_image *image)
{
    struct bh_error error = {0};
    struct bh_reference by_digest = push->reference;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    by_digest.tag[0] = '\0';
    by_digest.has_digest = true;
    by_digest.digest = image->manifest;
    (void)bh_reference_format(&by_digest, name, sizeof name);
    if (database_add_digest_name(push->job->engine->database, push->job->tenant_uid, name, &image->row.id, &error) <
        0) {
        bh_log_failure(BH_LOG_WARNING, &error, "name an image by its digest");
    }
}

static int push_tag(struct push *push, const struct repository_tag *tag, struct bh_error *error)
{
    struct job *job = push->job;
    pushed_image_auto struct pushed_image image = {0};
    bh_autoclose int manifest = -1;
    uint64_t config_bytes = 0;
    char name[BH_REFERENCE_BYTES_MAX + 1];
    struct bh_reference reference = push->reference;
    const struct push_target target = {.registry = push->registry,
                                       .host = bh_reference_registry_host(&push->reference),
                                       .repository = push->reference.repository};
    (void)snprintf(reference.tag, sizeof reference.tag, "%s", tag->tag);
    (void)bh_reference_format(&reference, name, sizeof name);
    if (database_image(job->engine->database, job->tenant_uid, &tag->image, &image.row, error) < 0 ||
        policy_admit_push(job, name, &image.row.id, error) < 0 ||
        holds_add(&image.holds, job, &image.row.id, error) < 0 || read_original(job, &image, error) < 0 ||
        plan_layers(job, &image, error) < 0 || push_layers(job, &target, image.layers, image.row.n_layers, error) < 0 ||
        push_config(push, &target, &image.row, &config_bytes, error) < 0) {
        return -1;
    }
    if (!image.original.manifest && make_manifest(job, &image, config_bytes, error) < 0) {
        return -1;
    }
    if (job_check(job, error) < 0 ||
        store_open_blob(job, &image.manifest, &manifest, &image.manifest_bytes, error) < 0 ||
        registry_push_manifest(job, push->registry, tag->tag, image.media_type, manifest, image.manifest_bytes, error) <
            0) {
        return -1;
    }
    record(push, &image);
    tell_pushed(job, tag->tag, &image);
    struct image_event event;
    image_event_fill_reference(&event, &image.row, "push", &reference);
    events_emit(job->engine, &event.event);
    bh_log_info("pushed %s", name);
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static int push_all(struct push *push, Bulkhead__Credentials *credentials, struct bh_error *error)
{
    if (find_tags(push, error) < 0 || find_also_pull(push, error) < 0 ||
        policy_admit_transfer(push->job, &push->reference, error) < 0 ||
        registry_open_push(push->job, bh_reference_registry_host(&push->reference), push->reference.repository,
                           push->also_pull, push->n_also_pull, credentials, &push->registry, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < push->n_tags; i++) {
        if (push_tag(push, &push->tags[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

int push_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__PushImage *question = job_body(job);
    push_auto struct push push = {.job = job};
    char line[BH_REFERENCE_BYTES_MAX + 64];
    if (bh_reference_parse(question->reference, &push.reference, error) < 0) {
        return -1;
    }
    if (push.reference.has_digest) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cannot push a digest reference");
    }
    (void)snprintf(push.name, sizeof push.name, "%s/%s", push.reference.domain, push.reference.repository);
    (void)snprintf(line, sizeof line, "The push refers to repository [%s]", push.name);
    progress_text(job, KIND(STATUS), "", line);
    int result = push_all(&push, question->credentials, error);
    garbage_start(job->engine); /* packed layers and manifests of our own have served their purpose */
    return result < 0 ? -1 : job_reply_done(job);
}
