/* SPDX-License-Identifier: Apache-2.0
 *
 * Pull; see pull.h. The order matters: verified by the store, then read by an extractor's worker, then judged by
 * policyd, and only then are layers fetched. What a failed pull leaves in the store belongs to nobody and is collected.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/io.h"
#include "common/limits.h"
#include "common/log.h"
#include "services/engine/database_push.h"
#include "services/engine/documents.h"
#include "services/engine/garbage.h"
#include "services/engine/holds.h"
#include "services/engine/image_events.h"
#include "services/engine/image_quota.h"
#include "services/engine/layers.h"
#include "services/engine/manifest_fetch.h"
#include "services/engine/platform.h"
#include "services/engine/policy.h"
#include "services/engine/pull.h"
#include "services/engine/registry.h"
#include "services/engine/sources.h"

#define KIND(name) BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_##name

struct pull {
    struct job *job;
    struct bh_reference reference;
    char name[BH_REFERENCE_BYTES_MAX + 1]; /* whole, as the image is to be named */
    struct bh_channel *registry;           /* borrowed */
    const char *host;                      /* of the registry, likewise */
    struct holds holds;
    struct bh_digest top;      /* what the reference resolved to: an index or a manifest */
    struct bh_digest manifest; /* of the image itself */
};

/* From the reference to the one manifest of the platform. */
static int resolve_manifest(struct pull *pull, const Bulkhead__Platform *platform, struct document *ret_document,
                            struct bh_error *error)
{
    document_auto struct document top = {0};
    const Bulkhead__IndexEntry *entry = NULL;
    struct bh_digest chosen;
    Bulkhead__MediaType announced;
    const struct bh_digest *expected = pull->reference.has_digest ? &pull->reference.digest : NULL;
    if (manifest_fetch(pull->job, pull->registry, pull->reference.tag, expected, &pull->holds, &pull->top, &announced,
                       error) < 0 ||
        document_parse(pull->job, &pull->top, announced, &top, error) < 0) {
        return -1;
    }
    pull->manifest = pull->top;
    if (top.manifest) {
        *ret_document = top;
        top = (struct document){0};
        return 0;
    }
    if (platform_choose(platform, top.index->entries, top.index->n_entries, &entry, error) < 0 ||
        bh_digest_from_bytes(entry->manifest->digest.data, entry->manifest->digest.len, &chosen, error) < 0 ||
        manifest_fetch(pull->job, pull->registry, NULL, &chosen, &pull->holds, &pull->manifest, &announced, error) <
            0) {
        return -1;
    }
    announced = announced ? announced : entry->manifest->media_type;
    if (document_parse(pull->job, &pull->manifest, announced, ret_document, error) < 0) {
        return -1;
    }
    if (!ret_document->manifest) {
        document_end(ret_document);
        *ret_document = (struct document){0};
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "an index that names an index: an image's manifest was expected");
    }
    return 0;
}

/* ---- layers ------------------------------------------------------------------------------------- */

/* Lists what is to be fetched, each digest once, and holds it. */
static int plan_layers(struct pull *pull, const Bulkhead__ParsedManifest *manifest, const Bulkhead__ImageConfig *config,
                       struct layer_task *tasks, size_t *ret_n_tasks, struct bh_error *error)
{
    size_t n_tasks = 0;
    for (size_t i = 0; i < manifest->n_layers; i++) {
        struct layer_task task = {.source = {.registry = pull->registry, .host = pull->host},
                                  .size_bytes = manifest->layers[i]->size_bytes};
        bool known = false;
        memcpy(task.digest.bytes, manifest->layers[i]->digest.data, BH_DIGEST_BYTES);
        memcpy(task.diff_id.bytes, config->diff_ids[i].data, BH_DIGEST_BYTES);
        for (size_t j = 0; j < n_tasks && !known; j++) {
            known = bh_digest_equal(&tasks[j].digest, &task.digest);
            if (known && !bh_digest_equal(&tasks[j].diff_id, &task.diff_id)) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "the image's config gives one layer two contents");
            }
        }
        if (known) {
            continue;
        }
        if (holds_add(&pull->holds, pull->job, &task.digest, error) < 0) {
            return -1;
        }
        progress_layer(pull->job, KIND(PULLING_LAYER), &task.digest, 0, task.size_bytes);
        tasks[n_tasks++] = task;
    }
    *ret_n_tasks = n_tasks;
    return 0;
}

/* By what the manifest says of their size: what can be refused is, before it is fetched. */
static int admit_tasks(struct job *job, const struct layer_task *tasks, size_t n_tasks, struct bh_error *error)
{
    bh_autofree struct image_layer *layers = calloc(n_tasks + 1, sizeof *layers);
    if (!layers) {
        return bh_error_errno(error, ENOMEM, "list the image's layers");
    }
    for (size_t i = 0; i < n_tasks; i++) {
        layers[i] = (struct image_layer){.digest = tasks[i].digest, .size_bytes = tasks[i].size_bytes};
    }
    return image_quota_admit(job, layers, n_tasks, error);
}

static int fetch_layers(struct pull *pull, const Bulkhead__ParsedManifest *manifest, struct image_row *row,
                        struct bh_error *error)
{
    size_t n_tasks = 0;
    bh_autofree struct layer_task *tasks = calloc(manifest->n_layers + 1, sizeof *tasks);
    row->layers = calloc(manifest->n_layers + 1, sizeof *row->layers);
    if (!tasks || !row->layers) {
        return bh_error_errno(error, ENOMEM, "list the image's layers");
    }
    if (plan_layers(pull, manifest, row->config, tasks, &n_tasks, error) < 0 ||
        admit_tasks(pull->job, tasks, n_tasks, error) < 0 || layers_ensure(pull->job, tasks, n_tasks, error) < 0) {
        return -1;
    }
    for (; row->n_layers < manifest->n_layers; row->n_layers++) {
        struct image_layer *layer = &row->layers[row->n_layers];
        memcpy(layer->digest.bytes, manifest->layers[row->n_layers]->digest.data, BH_DIGEST_BYTES);
        for (size_t i = 0; i < n_tasks; i++) {
            if (bh_digest_equal(&tasks[i].digest, &layer->digest)) {
                layer->size_bytes = tasks[i].content_bytes;
            }
        }
    }
    return 0;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

/* Records the image under its name, and under its digest as Docker's RepoDigests. */
static int record(struct pull *pull, const struct image_row *row, bool *ret_moved, struct bh_error *error)
{
    struct bh_reference by_digest = pull->reference;
    char digest_name[BH_REFERENCE_BYTES_MAX + 1];
    by_digest.tag[0] = '\0';
    by_digest.has_digest = true;
    by_digest.digest = pull->top;
    (void)bh_reference_format(&by_digest, digest_name, sizeof digest_name);
    const char *names[] = {pull->name, digest_name};
    size_t n_names = strcmp(pull->name, digest_name) == 0 ? 1 : 2;
    struct image_event event;
    image_event_fill_reference(&event, row, "pull", &pull->reference);
    return database_add_image(pull->job->engine->database, row, names, n_names, 0,
                              (const struct engine_event *[]){&event.event}, 1, ret_moved, error);
}

/* Blobs can be mounted from here when they are pushed to another repository of this registry. Not worth a failure. */
static void remember_source(struct pull *pull, const Bulkhead__ParsedManifest *manifest)
{
    struct job *job = pull->job;
    struct bh_error error = {0};
    struct bh_digest digests[BH_LAYERS_MAX + 1];
    size_t n_digests = 0;
    for (size_t i = 0; i < manifest->n_layers; i++) {
        memcpy(digests[n_digests++].bytes, manifest->layers[i]->digest.data, BH_DIGEST_BYTES);
    }
    memcpy(digests[n_digests++].bytes, manifest->config->digest.data, BH_DIGEST_BYTES);
    if (database_add_blob_sources(job->engine->database, job->tenant_uid, bh_reference_registry_host(&pull->reference),
                                  pull->reference.repository, digests, n_digests, bh_wall_ns(), &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "remember where an image came from");
    }
}

static void tell_status(struct job *job, const struct bh_reference *reference, bool moved)
{
    char text[BH_REFERENCE_BYTES_MAX + 64], familiar[BH_REFERENCE_BYTES_MAX + 1];
    struct bh_reference shown = *reference;
    if (shown.has_digest) {
        shown.tag[0] = '\0';
    }
    (void)snprintf(text, sizeof text, "Status: %s for %s", moved ? "Downloaded newer image" : "Image is up to date",
                   bh_reference_familiar(&shown, familiar, sizeof familiar));
    progress_text(job, KIND(STATUS), "", text);
}

/* One image, from the source that is open. */
static int pull_one(struct pull *pull, struct source *source, const Bulkhead__Platform *platform, bool *ret_moved,
                    struct bh_error *error)
{
    struct job *job = pull->job;
    document_auto struct document document = {0};
    image_row_auto struct image_row row = {.tenant_uid = job->tenant_uid};
    const struct bh_reference *reference = &pull->reference;
    char text[BH_DIGEST_TEXT_SIZE];
    progress_text(job, KIND(PULLING_FROM),
                  reference->has_digest ? bh_digest_text(&reference->digest, text) : reference->tag,
                  reference->repository);
    if (resolve_manifest(pull, platform, &document, error) < 0) {
        return -1;
    }
    if (policy_admit_image(job, pull->name, &pull->top, error) < 0) {
        source->final = true; /* it is about the name: no other source changes that */
        return -1;
    }
    const Bulkhead__Descriptor *config = document.manifest->config;
    const struct layer_source layer_source = {.registry = pull->registry, .host = pull->host};
    memcpy(row.id.bytes, config->digest.data, BH_DIGEST_BYTES);
    row.manifest = pull->manifest;
    if (holds_add(&pull->holds, job, &row.id, error) < 0 ||
        blob_ensure(job, &layer_source, &row.id, config->size_bytes, error) < 0 ||
        document_parse_config(job, &row.id, document.manifest->n_layers, &row.config, error) < 0 ||
        fetch_layers(pull, document.manifest, &row, error) < 0 ||
        image_quota_admit(job, row.layers, row.n_layers, error) < 0 || job_check(job, error) < 0) {
        return -1;
    }
    if (!source->mirror) {
        remember_source(pull, document.manifest);
    }
    if (record(pull, &row, ret_moved, error) < 0) {
        return -1;
    }
    progress_text(job, KIND(DIGEST), "", bh_digest_text(&pull->top, text));
    bh_log_info("pulled %s", pull->name);
    return 0;
}

/* ---- one tag or all of them ------------------------------------------------------------------------ */

/* What was asked for: `reference` has a tag or a digest, or neither, which means every tag. */
struct order {
    struct job *job;
    struct bh_reference reference;
    const Bulkhead__Platform *platform;
    bool moved; /* some name means something else than before */
};

static int pull_reference(struct order *order, struct source *source, const struct bh_reference *reference,
                          struct bh_error *error)
{
    struct pull pull = {.job = order->job, .reference = *reference, .registry = source->registry, .host = source->host};
    struct bh_reference named = *reference;
    bool moved = false;
    if (named.has_digest) {
        named.tag[0] = '\0'; /* the digest decides, as for Docker */
    }
    (void)bh_reference_format(&named, pull.name, sizeof pull.name);
    int result = pull_one(&pull, source, order->platform, &moved, error);
    holds_end(&pull.holds);
    order->moved = order->moved || moved;
    return result;
}

static int pull_every_tag(struct order *order, struct source *source, struct bh_error *error)
{
    registry_tags_auto struct registry_tags tags = {0};
    if (registry_list_tags(order->job, source->registry, &tags, error) < 0) {
        return -1;
    }
    if (tags.n_tags == 0) {
        char familiar[BH_REFERENCE_BYTES_MAX + 1];
        return bh_error_set(error, BH_NOT_FOUND, "No tags found for repository %s",
                            bh_reference_familiar(&order->reference, familiar, sizeof familiar));
    }
    for (size_t i = 0; i < tags.n_tags; i++) {
        struct bh_reference reference = order->reference;
        (void)snprintf(reference.tag, sizeof reference.tag, "%s", tags.tags[i]);
        if (pull_reference(order, source, &reference, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int visit(struct source *source, void *argument, struct bh_error *error)
{
    struct order *order = argument;
    return order->reference.has_digest || order->reference.tag[0]
               ? pull_reference(order, source, &order->reference, error)
               : pull_every_tag(order, source, error);
}

int pull_image(struct job *job, struct bh_error *error)
{
    const Bulkhead__PullImage *question = job_body(job);
    struct order order = {.job = job, .platform = question->platform ? question->platform : &platform_host};
    if (bh_reference_parse(question->reference, &order.reference, error) < 0 ||
        policy_admit_transfer(job, &order.reference, error) < 0) {
        return -1;
    }
    if (sources_visit(job, &order.reference, question->credentials, visit, &order, error) < 0) {
        garbage_start(job->engine);
        return -1;
    }
    tell_status(job, &order.reference, order.moved);
    return job_reply_done(job);
}
