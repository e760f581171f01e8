/* SPDX-License-Identifier: Apache-2.0
 *
 * See pack.h. The worker reads the layer and writes into the store's pipe; a worker that lies spoils the packed form of
 * the layer whose bytes attacked it, and whoever pulls that finds another diff ID than the config's.
 */
#include "services/engine/pack.h"

#include "common/limits.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/channels.h"
#include "services/engine/content.h"
#include "services/engine/store.h"

int pack_recall(struct job *job, const struct bh_digest *source, struct packed_layer *ret_packed,
                struct bh_error *error)
{
    return database_packed_layer(job->engine->database, source, ret_packed, error);
}

/* Has the worker do it; `ingest` is where its output goes. */
static int run_worker(struct job *job, int source, struct store_ingest *ingest, uint32_t *ret_compression,
                      bool *ret_packed, struct bh_error *error)
{
    worker_auto struct bh_channel *worker = NULL;
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__PackLayer body = BULKHEAD__PACK_LAYER__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PACK_LAYER;
    packet.pack_layer = &body;
    const int fds[] = {source, ingest->pipe};
    if (worker_open(job, BH_ROLE_EXTRACTOR, &worker, error) < 0) {
        return -1;
    }
    int result = job_ask(job, worker, &packet.base, fds, 2, BH_DEADLINE_JOB_MS,
                         BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_LAYER_PACKED, &message, error);
    bh_close(&ingest->pipe);
    if (result < 0) {
        return -1;
    }
    const Bulkhead__LayerPacked *answer = bh_message_body(message);
    *ret_compression = (uint32_t)answer->compression;
    *ret_packed = answer->packed;
    return 0;
}

static int pack_unnamed(struct job *job, const struct bh_digest *source, struct holds *holds,
                        struct packed_layer *ret_packed, struct bh_error *error)
{
    const struct store_blob blob = {.max_bytes = BH_BLOB_BYTES_MAX};
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    bh_autoclose int fd = -1;
    uint64_t n_bytes;
    bool packed = false;
    if (store_open_blob(job, source, &fd, &n_bytes, error) < 0 || store_begin_blob(job, &blob, &ingest, error) < 0 ||
        run_worker(job, fd, &ingest, &ret_packed->compression, &packed, error) < 0) {
        return -1;
    }
    if (!packed) {
        ret_packed->digest = *source; /* it is fit as it is; the ingest is given up */
        ret_packed->size_bytes = n_bytes;
        return 0;
    }
    return store_finish_blob(&ingest, &ret_packed->digest, &ret_packed->size_bytes, error) < 0
               ? -1
               : holds_add(holds, job, &ret_packed->digest, error);
}

int pack_layer(struct job *job, const struct bh_digest *source, struct holds *holds, struct packed_layer *ret_packed,
               struct bh_error *error)
{
    if (content_begin_unnamed(job, error) < 0) {
        return -1;
    }
    int result = pack_unnamed(job, source, holds, ret_packed, error);
    content_end_unnamed(job->engine->content);
    if (result < 0) {
        return bh_error_wrap(error, "compress a layer");
    }
    return database_set_packed_layer(job->engine->database, source, ret_packed, error);
}
