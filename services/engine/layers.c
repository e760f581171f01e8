/* SPDX-License-Identifier: Apache-2.0
 *
 * Bringing layers in; see layers.h. The bytes go from the fetcher's worker through pipes to the store and to the
 * extractor's worker; this process holds the ends just long enough to hand them over.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "common/limits.h"
#include "common/log.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/channels.h"
#include "services/engine/content.h"
#include "services/engine/database.h"
#include "services/engine/database_origins.h"
#include "services/engine/layers.h"
#include "services/engine/registry.h"
#include "services/engine/store.h"

#define LAYERS_AT_ONCE 6
#define STACK_BYTES    (512UL * 1024UL)
#define SHORT_ID       13 /* 12 digits, as Docker's clients show, and NUL */

#define KIND(name) BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_##name

void progress_text(struct job *job, Bulkhead__ProgressKind kind, const char *id, const char *text)
{
    Bulkhead__Progress progress = BULKHEAD__PROGRESS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    progress.kind = kind;
    progress.id = (char *)(uintptr_t)id;
    progress.text = (char *)(uintptr_t)text;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_PROGRESS;
    packet.progress = &progress;
    (void)job_more(job, &packet);
}

void progress_layer(struct job *job, Bulkhead__ProgressKind kind, const struct bh_digest *digest,
                    uint64_t current_bytes, uint64_t total_bytes)
{
    char id[BH_DIGEST_HEX_SIZE];
    Bulkhead__Progress progress = BULKHEAD__PROGRESS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    (void)bh_digest_hex(digest, id);
    id[SHORT_ID - 1] = '\0';
    progress.kind = kind;
    progress.id = id;
    progress.current_bytes = current_bytes;
    progress.total_bytes = total_bytes;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_PROGRESS;
    packet.progress = &progress;
    (void)job_more(job, &packet);
}

/* The claim on a digest for one scope. */
struct claim {
    struct content *content;
    const struct bh_digest *digest;
};
static void claim_end(struct claim *claim)
{
    if (claim->content) {
        content_unclaim(claim->content, claim->digest);
    }
}
#define claim_auto bh_cleanup(claim_end)

static int claim_begin(struct job *job, const struct bh_digest *digest, struct claim *claim, struct bh_error *error)
{
    if (content_claim(job, digest, error) < 0) {
        return -1;
    }
    *claim = (struct claim){.content = job->engine->content, .digest = digest};
    return 0;
}

/* ---- the transfer --------------------------------------------------------------------------------- */

struct transfer {
    struct job *job;
    const struct layer_source *source;
    const struct bh_digest *digest;
    uint64_t size_bytes;
    bool quiet;
};

static void on_received(void *argument, uint64_t received_bytes)
{
    const struct transfer *transfer = argument;
    if (!transfer->quiet) {
        progress_layer(transfer->job, KIND(DOWNLOADING), transfer->digest, received_bytes, transfer->size_bytes);
    }
}

static int begin_transfer(const struct transfer *transfer, bool tee, struct store_ingest *ret_ingest,
                          struct bh_error *error)
{
    const struct store_blob blob = {.digest = transfer->digest,
                                    .size_bytes = transfer->size_bytes,
                                    .tee = tee,
                                    .spool = transfer->source->spool,
                                    .offset = transfer->source->offset,
                                    .range_bytes = transfer->size_bytes};
    return store_begin_blob(transfer->job, &blob, ret_ingest, error);
}

/* Has the bytes fetched into the ingest's pipe and waits until the store has them all. */
static int run_transfer(struct transfer *transfer, struct store_ingest *ingest, struct bh_error *error)
{
    struct bh_digest stored;
    uint64_t n_bytes;
    if (transfer->source->registry) {
        int fetched =
            registry_fetch_blob(transfer->job, transfer->source->registry, transfer->digest, transfer->size_bytes,
                                ingest->resume_offset, ingest->pipe, on_received, transfer, error);
        bh_close(&ingest->pipe);
        if (fetched < 0) {
            /* The store keeps what has come, for another attempt. If it was the store that gave up, its word is the
             * reason. */
            struct bh_error reason = {0};
            bool store_gave_up = store_finish_blob(ingest, &stored, &n_bytes, &reason) < 0 && error->sys_errno == EPIPE;
            *error = store_gave_up ? reason : *error;
            return -1;
        }
    }
    if (!transfer->quiet) {
        progress_layer(transfer->job, KIND(VERIFYING), transfer->digest, 0, 0);
    }
    if (store_finish_blob(ingest, &stored, &n_bytes, error) < 0) {
        return -1;
    }
    if (!bh_digest_equal(&stored, transfer->digest)) {
        return bh_error_set(error, BH_DATA_LOSS, "the store stored another blob than was asked for");
    }
    return transfer->source->registry
               ? database_add_origin(transfer->job->engine->database, transfer->digest, transfer->source->host, error)
               : 0;
}

/* Content that is here already: may this tenant use it? If it has it; if it has just brought it along in an archive,
 * the bytes of which the store has hashed; or if the registry that these bytes came from says so, asked with the
 * tenant's own credentials. Another registry, which may be the tenant's own, could say so of what it does not have:
 * from there the bytes must come once more. */
static int prove_access(struct transfer *transfer, struct bh_error *error)
{
    struct database *database = transfer->job->engine->database;
    const struct layer_source *source = transfer->source;
    int known = database_tenant_has_content(database, transfer->job->tenant_uid, transfer->digest, error);
    if (known != 0 || !source->registry) {
        return known < 0 ? -1 : 0;
    }
    known = database_is_origin(database, transfer->digest, source->host, error);
    if (known != 0) {
        return known < 0 ? -1 : registry_check_blob(transfer->job, source->registry, transfer->digest, error);
    }
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    return begin_transfer(transfer, false, &ingest, error) < 0 ? -1 : run_transfer(transfer, &ingest, error);
}

int blob_ensure(struct job *job, const struct layer_source *source, const struct bh_digest *digest, uint64_t size_bytes,
                struct bh_error *error)
{
    claim_auto struct claim claim = {0};
    struct store_content content;
    struct transfer transfer = {
        .job = job, .source = source, .digest = digest, .size_bytes = size_bytes, .quiet = true};
    if (claim_begin(job, digest, &claim, error) < 0 || store_stat(job, digest, &content, error) < 0) {
        return -1;
    }
    if (content.blob) {
        return prove_access(&transfer, error);
    }
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    if (begin_transfer(&transfer, false, &ingest, error) < 0) {
        return -1;
    }
    return run_transfer(&transfer, &ingest, error);
}

/* ---- extraction ----------------------------------------------------------------------------------- */

/* A layer image being written by an extractor's worker. Given up with its scope unless sealed. */
struct extraction {
    struct job *job;
    struct bh_channel *worker;
    struct job_call call;
    uint64_t ingest;
    bool sealed;
    Bulkhead__ProgressKind progress; /* UNSPECIFIED: the client is not told */
    const struct bh_digest *progress_id;
};

static void extraction_end(struct extraction *extraction)
{
    job_call_end(&extraction->call);
    worker_close(&extraction->worker);
    if (extraction->ingest && !extraction->sealed) {
        store_abort(extraction->job, extraction->ingest);
    }
}
#define extraction_auto bh_cleanup(extraction_end)

/* Starts a worker on the compressed bytes of `source_fd` (borrowed). */
static int extraction_begin(struct job *job, const struct bh_digest *digest, uint64_t size_bytes, int source_fd,
                            struct extraction *extraction, struct bh_error *error)
{
    bh_autoclose int image = -1;
    Bulkhead__ExtractLayer body = BULKHEAD__EXTRACT_LAYER__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    extraction->job = job;
    if (store_begin_layer(job, digest, &extraction->ingest, &image, error) < 0 ||
        worker_open(job, BH_ROLE_EXTRACTOR, &extraction->worker, error) < 0) {
        return -1;
    }
    const int fds[] = {source_fd, image};
    body.compressed_bytes = size_bytes;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_EXTRACT_LAYER;
    packet.extract_layer = &body;
    return job_call_start(job, extraction->worker, &packet.base, fds, 2, BH_DEADLINE_JOB_MS, &extraction->call, error);
}

/* Waits for the worker's result. */
static int extraction_wait(struct extraction *extraction, uint64_t size_bytes, struct bh_digest *ret_diff_id,
                           struct bh_error *error)
{
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&extraction->call, &message, error) < 0) {
            return -1;
        }
        if (message->kind == BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_LAYER_EXTRACTED) {
            const Bulkhead__LayerExtracted *extracted = bh_message_body(message);
            return bh_digest_from_bytes(extracted->diff_id.data, extracted->diff_id.len, ret_diff_id, error);
        }
        if (message->kind != BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_EXTRACT_PROGRESS) {
            return bh_error_set(error, BH_INTERNAL, "an extractor answered %u to a layer", message->kind);
        }
        const Bulkhead__ExtractProgress *progress = bh_message_body(message);
        if (extraction->progress != KIND(UNSPECIFIED)) {
            progress_layer(extraction->job, extraction->progress, extraction->progress_id, progress->compressed_bytes,
                           size_bytes);
        }
    }
}

/* Waits for the worker's result, ends the worker, and has the image sealed. `expected` is what the diff ID must be;
 * NULL: whatever it is. */
static int extraction_finish(struct extraction *extraction, uint64_t size_bytes, const struct bh_digest *expected,
                             struct bh_digest *ret_diff_id, uint64_t *ret_content_bytes, struct bh_error *error)
{
    struct bh_digest actual;
    if (extraction_wait(extraction, size_bytes, &actual, error) < 0) {
        return -1;
    }
    if (expected && !bh_digest_equal(&actual, expected)) {
        char is[BH_DIGEST_TEXT_SIZE], wanted[BH_DIGEST_TEXT_SIZE];
        return bh_error_set(error, BH_DATA_LOSS, "the layer's content is %s, and the image's config says %s",
                            bh_digest_text(&actual, is), bh_digest_text(expected, wanted));
    }
    job_call_end(&extraction->call);
    worker_close(&extraction->worker); /* sealing waits until nobody can write any more */
    if (store_seal_layer(extraction->job, extraction->ingest, &actual, ret_content_bytes, error) < 0) {
        return -1;
    }
    extraction->sealed = true;
    *ret_diff_id = actual;
    return 0;
}

/* The blob is stored and its layer is not: it was made here, or an earlier attempt ended in between. */
static int extract_stored(struct job *job, const struct layer_source *source, const struct bh_digest *digest,
                          const struct bh_digest *expected, struct bh_digest *ret_diff_id, uint64_t *ret_content_bytes,
                          struct bh_error *error)
{
    extraction_auto struct extraction extraction = {0};
    if (source) {
        extraction.progress = source->registry ? KIND(EXTRACTING) : KIND(LOADING_LAYER);
        extraction.progress_id = source->registry ? digest : expected;
    }
    bh_autoclose int blob = -1;
    uint64_t n_bytes;
    if (store_open_blob(job, digest, &blob, &n_bytes, error) < 0 ||
        extraction_begin(job, digest, n_bytes, blob, &extraction, error) < 0) {
        return -1;
    }
    return extraction_finish(&extraction, n_bytes, expected, ret_diff_id, ret_content_bytes, error);
}

/* One pass: fetched, hashed, written, decompressed and extracted at the same time. */
static int fetch_and_extract(struct transfer *transfer, const struct bh_digest *diff_id, uint64_t *ret_content_bytes,
                             struct bh_error *error)
{
    extraction_auto struct extraction extraction = {.progress = KIND(EXTRACTING), .progress_id = transfer->digest};
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    struct bh_digest actual;
    if (begin_transfer(transfer, true, &ingest, error) < 0 ||
        extraction_begin(transfer->job, transfer->digest, transfer->size_bytes, ingest.tee, &extraction, error) < 0) {
        return -1;
    }
    bh_close(&ingest.tee);
    if (run_transfer(transfer, &ingest, error) < 0) {
        return -1;
    }
    if (!transfer->quiet) {
        progress_layer(transfer->job, KIND(DOWNLOAD_COMPLETE), transfer->digest, 0, 0);
    }
    return extraction_finish(&extraction, transfer->size_bytes, diff_id, &actual, ret_content_bytes, error);
}

int layer_ensure(struct job *job, const struct layer_source *source, const struct bh_digest *digest,
                 uint64_t size_bytes, const struct bh_digest *diff_id, uint64_t *ret_content_bytes,
                 struct bh_error *error)
{
    claim_auto struct claim claim = {0};
    struct store_content content;
    if (source->registry && content_is_claimed(job->engine->content, digest)) {
        progress_layer(job, KIND(WAITING), digest, 0, 0);
    }
    if (claim_begin(job, digest, &claim, error) < 0 || store_stat(job, digest, &content, error) < 0) {
        return -1;
    }
    struct transfer transfer = {
        .job = job, .source = source, .digest = digest, .size_bytes = size_bytes, .quiet = !source->registry};
    if ((content.blob || content.layer) && prove_access(&transfer, error) < 0) {
        return -1;
    }
    if (content.layer) {
        *ret_content_bytes = content.content_bytes;
        if (!bh_digest_equal(&content.diff_id, diff_id)) {
            return bh_error_set(error, BH_DATA_LOSS, "the layer's content is not what the image's config says");
        }
        if (source->registry) { /* as Docker, a load tells only of layers that are new */
            progress_layer(job, KIND(ALREADY_EXISTS), digest, 0, 0);
        }
        return 0;
    }
    struct bh_digest actual;
    int result = content.blob ? extract_stored(job, source, digest, diff_id, &actual, ret_content_bytes, error)
                              : fetch_and_extract(&transfer, diff_id, ret_content_bytes, error);
    if (result == 0 && source->registry) {
        progress_layer(job, KIND(PULL_COMPLETE), digest, 0, 0);
    }
    return result;
}

int layer_extract(struct job *job, const struct bh_digest *digest, struct bh_digest *ret_diff_id,
                  uint64_t *ret_content_bytes, struct bh_error *error)
{
    claim_auto struct claim claim = {0};
    struct store_content content;
    if (claim_begin(job, digest, &claim, error) < 0 || store_stat(job, digest, &content, error) < 0) {
        return -1;
    }
    if (content.layer) {
        *ret_diff_id = content.diff_id;
        *ret_content_bytes = content.content_bytes;
        return 0;
    }
    return extract_stored(job, NULL, digest, NULL, ret_diff_id, ret_content_bytes, error);
}

/* ---- all layers of an image ------------------------------------------------------------------------ */

struct team {
    struct job *job;
    struct layer_task *layers;
    size_t n_layers;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t mutex;
    struct bh_error failure; /* the first one */
    uint64_t trace;
};

static void *team_main(void *argument)
{
    struct team *team = argument;
    bh_log_set_trace(team->trace);
    for (;;) {
        size_t index = atomic_fetch_add(&team->next, 1);
        if (index >= team->n_layers || atomic_load(&team->failed)) {
            return NULL;
        }
        struct layer_task *layer = &team->layers[index];
        struct bh_error error = {0};
        if (layer_ensure(team->job, &layer->source, &layer->digest, layer->size_bytes, &layer->diff_id,
                         &layer->content_bytes, &error) < 0) {
            char text[BH_DIGEST_TEXT_SIZE];
            (void)bh_error_wrap(&error, "layer %s", bh_digest_text(&layer->digest, text));
            (void)pthread_mutex_lock(&team->mutex);
            if (!atomic_exchange(&team->failed, true)) {
                team->failure = error;
                job_cancel_calls(team->job);
            }
            (void)pthread_mutex_unlock(&team->mutex);
        }
    }
}

int layers_ensure(struct job *job, struct layer_task *layers, size_t n_layers, struct bh_error *error)
{
    struct team team = {.job = job, .layers = layers, .n_layers = n_layers, .trace = bh_log_trace()};
    pthread_t threads[LAYERS_AT_ONCE];
    size_t n_threads = 0;
    pthread_attr_t attributes;
    (void)pthread_mutex_init(&team.mutex, NULL);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    /* This thread works, too: one less is started, and none at all is no failure. */
    while (n_threads + 1 < LAYERS_AT_ONCE && n_threads + 1 < n_layers &&
           pthread_create(&threads[n_threads], &attributes, team_main, &team) == 0) {
        n_threads++;
    }
    (void)team_main(&team);
    for (size_t i = 0; i < n_threads; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_mutex_destroy(&team.mutex);
    if (atomic_load(&team.failed)) {
        if (error) {
            *error = team.failure;
        }
        return -1;
    }
    return 0;
}
