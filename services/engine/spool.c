/* SPDX-License-Identifier: Apache-2.0
 *
 * See spool.h.
 */
#include "services/engine/spool.h"

#include <errno.h>

#include "common/limits.h"
#include "services/engine/compression.h"
#include "services/engine/streams.h"

void spool_end(struct spool *spool)
{
    if (spool->id) {
        store_abort(spool->ingest.call.job, spool->id);
        spool->ingest.finished = true;
        spool->id = 0;
    }
    store_ingest_end(&spool->ingest);
}

int spool_take(struct job *job, int from, struct spool *spool, struct bh_error *error)
{
    struct bh_error reason = {0};
    if (store_begin_spool(job, SPOOL_BYTES_MAX, &spool->ingest, error) < 0) {
        return -1;
    }
    int copied = stream_copy(job, from, spool->ingest.pipe, error);
    if (copied < 0 && error->sys_errno != EPIPE) {
        return -1;
    }
    bh_close(&spool->ingest.pipe);
    if (store_finish_spool(&spool->ingest, &spool->n_bytes, &reason) < 0 || copied < 0) {
        *error = reason.code ? reason : *error; /* why the store stopped reading, if it did */
        return -1;
    }
    spool->id = spool->ingest.id;
    return 0;
}

int spool_decompress(struct job *job, int source, struct spool *spool, struct bh_error *error)
{
    if (store_begin_spool(job, SPOOL_BYTES_MAX, &spool->ingest, error) < 0 ||
        decompress_into(job, source, &spool->ingest.pipe, SPOOL_BYTES_MAX, error) < 0 ||
        store_finish_spool(&spool->ingest, &spool->n_bytes, error) < 0) {
        return -1;
    }
    spool->id = spool->ingest.id;
    return 0;
}
