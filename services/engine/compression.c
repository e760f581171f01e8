/* SPDX-License-Identifier: Apache-2.0
 *
 * See compression.h.
 */
#include "services/engine/compression.h"

#include "common/limits.h"
#include "services/engine/store.h"

int prober_ask(struct prober *prober, struct job *job, int fd, Bulkhead__Compression *ret_compression,
               struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__ProbeBlob body = BULKHEAD__PROBE_BLOB__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_PROBE_BLOB;
    packet.probe_blob = &body;
    if ((!prober->worker && worker_open(job, BH_ROLE_EXTRACTOR, &prober->worker, error) < 0) ||
        job_ask(job, prober->worker, &packet.base, &fd, 1, 0, BULKHEAD__EXTRACTOR_TO_ENGINE__BODY_BLOB_PROBED, &message,
                error) < 0) {
        return bh_error_wrap(error, "find out how a blob is compressed");
    }
    *ret_compression = ((const Bulkhead__BlobProbed *)bh_message_body(message))->compression;
    return 0;
}

int prober_ask_blob(struct prober *prober, struct job *job, const struct bh_digest *digest,
                    Bulkhead__Compression *ret_compression, uint64_t *ret_bytes, struct bh_error *error)
{
    bh_autoclose int fd = -1;
    return store_open_blob(job, digest, &fd, ret_bytes, error) < 0
               ? -1
               : prober_ask(prober, job, fd, ret_compression, error);
}

int decompress_into(struct job *job, int source, int *pipe, uint64_t max_bytes, struct bh_error *error)
{
    worker_auto struct bh_channel *worker = NULL;
    Bulkhead__Decompress body = BULKHEAD__DECOMPRESS__INIT;
    Bulkhead__EngineToExtractor packet = BULKHEAD__ENGINE_TO_EXTRACTOR__INIT;
    body.max_bytes = max_bytes;
    packet.body_case = BULKHEAD__ENGINE_TO_EXTRACTOR__BODY_DECOMPRESS;
    packet.decompress = &body;
    if (worker_open(job, BH_ROLE_EXTRACTOR, &worker, error) < 0) {
        return -1;
    }
    job_call_auto struct job_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    const int fds[] = {source, *pipe};
    if (job_call_start(job, worker, &packet.base, fds, 2, BH_DEADLINE_JOB_MS, &call, error) < 0 ||
        job_call_next(&call, &message, error) < 0) {
        return -1;
    }
    bh_close(pipe); /* not before the worker is done: its dying must not look like the end of the content */
    return 0;
}
