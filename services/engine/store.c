/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to the store; see store.h. The store is trusted to hash; its answers are checked for shape.
 */
#include <errno.h>
#include <stdlib.h>

#include "common/limits.h"
#include "engine_store.pb-c.h"
#include "services/engine/store.h"

#define PACKET(name, kind, field, body)                                                                                \
    Bulkhead__EngineToStore name = BULKHEAD__ENGINE_TO_STORE__INIT;                                                    \
    name.body_case = BULKHEAD__ENGINE_TO_STORE__BODY_##kind;                                                           \
    name.field = (body)

/* Sealing fails while the worker that wrote the image still has it open: it was told to end, and ends soon. */
#define SEAL_PATIENCE_MS 60000U

static struct bh_channel *store_channel(const struct job *job)
{
    return bh_service_peer(job->engine->context, BH_ROLE_STORE);
}

static ProtobufCBinaryData digest_field(const struct bh_digest *digest)
{
    return digest ? (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)digest->bytes}
                  : (ProtobufCBinaryData){0};
}

void store_ingest_end(struct store_ingest *ingest)
{
    if (ingest->call.call && !ingest->finished && ingest->id) {
        store_abort(ingest->call.job, ingest->id); /* before the pipe's end makes it look complete */
    }
    bh_close(&ingest->pipe);
    bh_close(&ingest->tee);
    job_call_end(&ingest->call);
}

/* Takes the first answer to a Begin...: the ingest's id and its descriptors. */
static int take_started(struct store_ingest *ingest, bool wants_pipe, bool wants_tee, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    if (job_call_next(&ingest->call, &message, error) < 0) {
        return -1;
    }
    if (message->kind != BULKHEAD__STORE_TO_ENGINE__BODY_INGEST_STARTED ||
        message->n_fds != (size_t)wants_pipe + (size_t)wants_tee) {
        return bh_error_set(error, BH_INTERNAL, "the store answered %u with %zu descriptors to a begin", message->kind,
                            message->n_fds);
    }
    const Bulkhead__IngestStarted *started = bh_message_body(message);
    ingest->id = started->ingest;
    ingest->resume_offset = started->resume_offset;
    ingest->pipe = wants_pipe ? bh_message_take_fd(message, 0) : -1;
    ingest->tee = wants_tee ? bh_message_take_fd(message, wants_pipe ? 1 : 0) : -1;
    return 0;
}

int store_begin_blob(struct job *job, const struct store_blob *blob, struct store_ingest *ret_ingest,
                     struct bh_error *error)
{
    Bulkhead__BeginBlob body = BULKHEAD__BEGIN_BLOB__INIT;
    Bulkhead__PipeSource pipe = BULKHEAD__PIPE_SOURCE__INIT;
    Bulkhead__SpoolRange range = BULKHEAD__SPOOL_RANGE__INIT;
    body.digest = digest_field(blob->digest);
    body.size_bytes = blob->size_bytes;
    body.max_bytes = blob->max_bytes;
    body.tee = blob->tee;
    if (blob->spool) {
        range.spool = blob->spool;
        range.offset = blob->offset;
        range.size_bytes = blob->range_bytes;
        body.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_SPOOL_RANGE;
        body.spool_range = &range;
    } else {
        body.source_case = BULKHEAD__BEGIN_BLOB__SOURCE_PIPE;
        body.pipe = &pipe;
    }
    PACKET(packet, BEGIN_BLOB, begin_blob, &body);
    if (job_call_start(job, store_channel(job), &packet.base, NULL, 0, BH_DEADLINE_JOB_MS, &ret_ingest->call, error) <
        0) {
        return -1;
    }
    return take_started(ret_ingest, !blob->spool, blob->tee, error);
}

int store_finish_blob(struct store_ingest *ingest, struct bh_digest *ret_digest, uint64_t *ret_bytes,
                      struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    int result = job_call_next(&ingest->call, &message, error);
    ingest->finished = result == 0 || error->code != BH_CANCELLED;
    if (result < 0) {
        return -1;
    }
    if (message->kind != BULKHEAD__STORE_TO_ENGINE__BODY_BLOB_STORED) {
        return bh_error_set(error, BH_INTERNAL, "the store answered %u instead of BlobStored", message->kind);
    }
    const Bulkhead__BlobStored *stored = bh_message_body(message);
    *ret_bytes = stored->size_bytes;
    return bh_digest_from_bytes(stored->digest.data, stored->digest.len, ret_digest, error);
}

int store_begin_spool(struct job *job, uint64_t max_bytes, struct store_ingest *ret_ingest, struct bh_error *error)
{
    Bulkhead__BeginSpool body = BULKHEAD__BEGIN_SPOOL__INIT;
    body.max_bytes = max_bytes;
    PACKET(packet, BEGIN_SPOOL, begin_spool, &body);
    if (job_call_start(job, store_channel(job), &packet.base, NULL, 0, BH_DEADLINE_JOB_MS, &ret_ingest->call, error) <
        0) {
        return -1;
    }
    return take_started(ret_ingest, true, false, error);
}

int store_finish_spool(struct store_ingest *ingest, uint64_t *ret_bytes, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    if (job_call_next(&ingest->call, &message, error) < 0) {
        return -1;
    }
    if (message->kind != BULKHEAD__STORE_TO_ENGINE__BODY_SPOOL_STORED) {
        return bh_error_set(error, BH_INTERNAL, "the store answered %u instead of SpoolStored", message->kind);
    }
    *ret_bytes = ((const Bulkhead__SpoolStored *)bh_message_body(message))->size_bytes;
    return 0;
}

/* Takes the one descriptor of an answer. */
static int take_descriptor(struct bh_message *message, int *ret_fd, struct bh_error *error)
{
    if (message->n_fds != 1) {
        return bh_error_set(error, BH_INTERNAL, "the store opened something and handed %zu descriptors over",
                            message->n_fds);
    }
    *ret_fd = bh_message_take_fd(message, 0);
    return 0;
}

int store_open_spool(struct job *job, uint64_t spool, int *ret_fd, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__OpenSpool body = BULKHEAD__OPEN_SPOOL__INIT;
    body.spool = spool;
    PACKET(packet, OPEN_SPOOL, open_spool, &body);
    if (job_ask(job, store_channel(job), &packet.base, NULL, 0, 0, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED,
                &message, error) < 0) {
        return -1;
    }
    return take_descriptor(message, ret_fd, error);
}

int store_begin_layer(struct job *job, const struct bh_digest *blob, uint64_t *ret_ingest, int *ret_fd,
                      struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__BeginLayer body = BULKHEAD__BEGIN_LAYER__INIT;
    body.blob_digest = digest_field(blob);
    PACKET(packet, BEGIN_LAYER, begin_layer, &body);
    if (job_ask(job, store_channel(job), &packet.base, NULL, 0, 0, BULKHEAD__STORE_TO_ENGINE__BODY_INGEST_STARTED,
                &message, error) < 0) {
        return -1;
    }
    *ret_ingest = ((const Bulkhead__IngestStarted *)bh_message_body(message))->ingest;
    return take_descriptor(message, ret_fd, error);
}

int store_seal_layer(struct job *job, uint64_t ingest, const struct bh_digest *diff_id, uint64_t *ret_content_bytes,
                     struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__SealLayer body = BULKHEAD__SEAL_LAYER__INIT;
    body.ingest = ingest;
    body.diff_id = digest_field(diff_id);
    PACKET(packet, SEAL_LAYER, seal_layer, &body);
    if (job_ask(job, store_channel(job), &packet.base, NULL, 0, SEAL_PATIENCE_MS,
                BULKHEAD__STORE_TO_ENGINE__BODY_LAYER_SEALED, &message, error) < 0) {
        return -1;
    }
    *ret_content_bytes = ((const Bulkhead__LayerSealed *)bh_message_body(message))->content_bytes;
    return 0;
}

void store_abort(struct job *job, uint64_t ingest)
{
    struct bh_error ignored;
    Bulkhead__AbortIngest body = BULKHEAD__ABORT_INGEST__INIT;
    body.ingest = ingest;
    PACKET(packet, ABORT_INGEST, abort_ingest, &body);
    /* Not a call of the job's: that may be cancelled, and this is done all the more then. */
    (void)bh_call(store_channel(job), &packet.base, NULL, 0, 0, BULKHEAD__STORE_TO_ENGINE__BODY_DONE, NULL, &ignored);
}

int store_open_blob(struct job *job, const struct bh_digest *digest, int *ret_fd, uint64_t *ret_bytes,
                    struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__OpenBlob body = BULKHEAD__OPEN_BLOB__INIT;
    body.digest = digest_field(digest);
    PACKET(packet, OPEN_BLOB, open_blob, &body);
    if (job_ask_again(job, store_channel(job), &packet.base, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_OPENED, &message,
                      error) < 0) {
        return -1;
    }
    *ret_bytes = ((const Bulkhead__ContentOpened *)bh_message_body(message))->size_bytes;
    return take_descriptor(message, ret_fd, error);
}

int store_stat(struct job *job, const struct bh_digest *digest, struct store_content *ret_content,
               struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__StatContent body = BULKHEAD__STAT_CONTENT__INIT;
    body.digest = digest_field(digest);
    PACKET(packet, STAT_CONTENT, stat_content, &body);
    if (job_ask_again(job, store_channel(job), &packet.base, BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_STAT, &message,
                      error) < 0) {
        return -1;
    }
    const Bulkhead__ContentStat *stat = bh_message_body(message);
    *ret_content = (struct store_content){
        .blob = stat->blob, .layer = stat->layer, .blob_bytes = stat->blob_bytes, .content_bytes = stat->content_bytes};
    return stat->layer ? bh_digest_from_bytes(stat->diff_id.data, stat->diff_id.len, &ret_content->diff_id, error) : 0;
}

int store_list(struct job *job, struct bh_digest **ret_digests, size_t *ret_n_digests, struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    bh_autofree struct bh_digest *digests = NULL;
    size_t n_digests = 0;
    Bulkhead__ListContent body = BULKHEAD__LIST_CONTENT__INIT;
    PACKET(packet, LIST_CONTENT, list_content, &body);
    if (job_call_start(job, store_channel(job), &packet.base, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind != BULKHEAD__STORE_TO_ENGINE__BODY_CONTENT_ENTRY) {
            break;
        }
        const Bulkhead__ContentEntry *entry = bh_message_body(message);
        if ((n_digests & (n_digests - 1)) == 0) {
            struct bh_digest *grown = reallocarray(digests, n_digests ? n_digests * 2 : 1, sizeof *digests);
            if (!grown) {
                return bh_error_errno(error, ENOMEM, "list the store's content");
            }
            digests = grown;
        }
        if (bh_digest_from_bytes(entry->digest.data, entry->digest.len, &digests[n_digests++], error) < 0) {
            return -1;
        }
    }
    *ret_digests = bh_steal_pointer(&digests);
    *ret_n_digests = n_digests;
    return 0;
}

int store_delete(struct job *job, const struct bh_digest *digest, struct bh_error *error)
{
    Bulkhead__DeleteContent body = BULKHEAD__DELETE_CONTENT__INIT;
    body.digest = digest_field(digest);
    PACKET(packet, DELETE_CONTENT, delete_content, &body);
    return job_ask_again(job, store_channel(job), &packet.base, BULKHEAD__STORE_TO_ENGINE__BODY_DONE, NULL, error);
}
