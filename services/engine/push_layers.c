/* SPDX-License-Identifier: Apache-2.0
 *
 * See push_layers.h.
 */
#include "services/engine/push_layers.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/database_origins.h"
#include "services/engine/database_push.h"
#include "services/engine/holds.h"
#include "services/engine/layers.h"
#include "services/engine/pack.h"
#include "services/engine/registry.h"
#include "services/engine/store.h"

#define STACK_BYTES (512UL * 1024UL)
#define MOUNTS_MAX  3 /* repositories that are tried, the latest first, as many as Docker tries */
#define SHORT_ID    12

#define KIND(name)    BULKHEAD__PROGRESS_KIND__PROGRESS_KIND_##name
#define OUTCOME(name) BULKHEAD__PUSH_OUTCOME__PUSH_OUTCOME_##name

/* ---- one blob ------------------------------------------------------------------------------------ */

struct watched {
    struct job *job;
    const struct push_layer *layer;
    uint64_t size_bytes;
};

static void on_sent(void *argument, uint64_t sent_bytes)
{
    const struct watched *watched = argument;
    if (watched->layer) {
        progress_layer(watched->job, KIND(PUSHING), &watched->layer->diff_id, sent_bytes, watched->size_bytes);
    }
}

static void tell_outcome(struct job *job, const struct push_layer *layer, Bulkhead__PushOutcome outcome,
                         const char *mounted_from)
{
    char id[BH_DIGEST_HEX_SIZE];
    if (!layer) {
        return;
    }
    (void)bh_digest_hex(&layer->diff_id, id);
    id[SHORT_ID] = '\0';
    progress_text(job,
                  outcome == OUTCOME(EXISTS)    ? KIND(LAYER_EXISTS)
                  : outcome == OUTCOME(MOUNTED) ? KIND(MOUNTED)
                                                : KIND(PUSHED),
                  id, mounted_from);
}

int push_blob(struct job *job, const struct push_target *target, const struct bh_digest *digest, uint64_t size_bytes,
              int fd, const struct push_layer *layer, struct bh_error *error)
{
    struct database *database = job->engine->database;
    char *mount_from[MOUNTS_MAX];
    char mounted_from[BH_REPOSITORY_BYTES_MAX + 1] = "";
    struct watched watched = {.job = job, .layer = layer, .size_bytes = size_bytes};
    struct registry_push push = {.digest = *digest,
                                 .size_bytes = size_bytes,
                                 .fd = fd,
                                 .mount_from = mount_from,
                                 .notify = on_sent,
                                 .argument = &watched};
    Bulkhead__PushOutcome outcome = OUTCOME(UNSPECIFIED);
    if (database_blob_sources(database, job->tenant_uid, target->host, digest, target->repository, mount_from,
                              MOUNTS_MAX, &push.n_mount_from, error) < 0) {
        return -1;
    }
    int result = registry_push_blob(job, target->registry, &push, &outcome, mounted_from, error);
    for (size_t i = 0; i < push.n_mount_from; i++) {
        free(mount_from[i]);
    }
    if (result < 0) {
        return -1;
    }
    if (outcome == OUTCOME(ABSENT)) {
        return bh_error_set(error, BH_NOT_FOUND, "the registry has no such blob");
    }
    if (outcome == OUTCOME(UPLOADED) && database_add_origin(database, digest, target->host, error) < 0) {
        return -1;
    }
    tell_outcome(job, layer, outcome, mounted_from);
    return database_add_blob_sources(database, job->tenant_uid, target->host, target->repository, digest, 1,
                                     bh_wall_ns(), error);
}

/* ---- one layer ------------------------------------------------------------------------------------ */

static int push_stored(struct job *job, const struct push_target *target, struct push_layer *layer,
                       struct bh_error *error)
{
    bh_autoclose int fd = -1;
    uint64_t n_bytes = 0;
    if (store_open_blob(job, &layer->digest, &fd, &n_bytes, error) < 0) {
        return -1;
    }
    return push_blob(job, target, &layer->digest, n_bytes, fd, layer, error);
}

static void take_packed(struct push_layer *layer, const struct packed_layer *packed)
{
    layer->digest = packed->digest;
    layer->size_bytes = packed->size_bytes;
    layer->compression = (Bulkhead__Compression)packed->compression;
}

/* A layer whose packed form is known may be in the registry already, and is not packed again then. */
static int push_known(struct job *job, const struct push_target *target, struct push_layer *layer, bool *ret_done,
                      struct bh_error *error)
{
    struct packed_layer packed;
    int found = pack_recall(job, &layer->source, &packed, error);
    *ret_done = false;
    if (found <= 0) {
        return found;
    }
    take_packed(layer, &packed);
    if (bh_digest_equal(&packed.digest, &layer->source)) {
        *ret_done = true;
        return push_stored(job, target, layer, error);
    }
    if (push_blob(job, target, &layer->digest, layer->size_bytes, -1, layer, error) == 0) {
        *ret_done = true;
        return 0;
    }
    if (error->code != BH_NOT_FOUND) {
        return -1;
    }
    bh_error_clear(error);
    return 0;
}

static int push_layer(struct job *job, const struct push_target *target, struct push_layer *layer,
                      struct bh_error *error)
{
    holds_auto struct holds holds = {0};
    struct packed_layer packed;
    bool done = false;
    if (layer->as_stored) {
        return push_stored(job, target, layer, error);
    }
    if (push_known(job, target, layer, &done, error) < 0) {
        return -1;
    }
    if (done) {
        return 0;
    }
    if (pack_layer(job, &layer->source, &holds, &packed, error) < 0) {
        return -1;
    }
    take_packed(layer, &packed);
    return push_stored(job, target, layer, error);
}

/* ---- all of them ---------------------------------------------------------------------------------- */

struct team {
    struct job *job;
    const struct push_target *target;
    struct push_layer *layers;
    size_t n_layers;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t mutex;
    struct bh_error failure; /* the first one */
    uint64_t trace;
};

/* The same layer twice in one image is pushed once; the first of them is the lowest index. */
static const struct push_layer *find_twin(const struct team *team, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (bh_digest_equal(&team->layers[i].source, &team->layers[index].source)) {
            return &team->layers[i];
        }
    }
    return NULL;
}

static void *team_main(void *argument)
{
    struct team *team = argument;
    bh_log_set_trace(team->trace);
    for (;;) {
        size_t index = atomic_fetch_add(&team->next, 1);
        struct bh_error error = {0};
        if (index >= team->n_layers || atomic_load(&team->failed)) {
            return NULL;
        }
        if (find_twin(team, index) || push_layer(team->job, team->target, &team->layers[index], &error) == 0) {
            continue;
        }
        char text[BH_DIGEST_TEXT_SIZE];
        bh_log_failure(BH_LOG_INFO, &error, bh_digest_text(&team->layers[index].source, text));
        (void)pthread_mutex_lock(&team->mutex);
        if (!atomic_exchange(&team->failed, true)) {
            team->failure = error;
            job_cancel_calls(team->job);
        }
        (void)pthread_mutex_unlock(&team->mutex);
    }
}

/* Docker's lines: from the top layer down, the ones that cannot begin yet "Waiting". */
static void tell_preparing(const struct team *team)
{
    size_t n_told = 0;
    for (size_t i = team->n_layers; i-- > 0;) {
        if (!find_twin(team, i)) {
            progress_layer(team->job, KIND(PREPARING), &team->layers[i].diff_id, 0, 0);
        }
    }
    for (size_t i = 0; i < team->n_layers; i++) {
        if (!find_twin(team, i) && n_told++ >= PUSH_LAYERS_AT_ONCE) {
            progress_layer(team->job, KIND(WAITING), &team->layers[i].diff_id, 0, 0);
        }
    }
}

int push_layers(struct job *job, const struct push_target *target, struct push_layer *layers, size_t n_layers,
                struct bh_error *error)
{
    struct team team = {.job = job, .target = target, .layers = layers, .n_layers = n_layers, .trace = bh_log_trace()};
    pthread_t threads[PUSH_LAYERS_AT_ONCE];
    size_t n_threads = 0;
    pthread_attr_t attributes;
    (void)pthread_mutex_init(&team.mutex, NULL);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    tell_preparing(&team);
    /* This thread works, too: one less is started, and none at all is no failure. */
    while (n_threads + 1 < PUSH_LAYERS_AT_ONCE && n_threads + 1 < n_layers &&
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
        *error = team.failure;
        return -1;
    }
    for (size_t i = 0; i < n_layers; i++) {
        const struct push_layer *twin = find_twin(&team, i);
        if (twin) {
            layers[i] = *twin;
        }
    }
    return 0;
}
