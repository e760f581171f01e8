/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of the store (engine_store.proto), as functions. Blocking; for jobs.
 */
#pragma once

#include <stdbool.h>

#include "common/digest.h"
#include "services/engine/jobs.h"

/* Something being written. Ended with its scope: whatever is not finished by then is given up. */
struct store_ingest {
    struct job_call call;
    uint64_t id;
    uint64_t resume_offset;
    int pipe; /* to write to; -1 if none */
    int tee;  /* to read from; -1 if none */
    bool finished;
};
void store_ingest_end(struct store_ingest *ingest);
#define store_ingest_auto bh_cleanup(store_ingest_end)
#define STORE_INGEST_NONE                                                                                              \
    {                                                                                                                  \
        .pipe = -1, .tee = -1                                                                                          \
    }

/* A blob to be written: through a pipe, or (spool != 0) out of a spool. */
struct store_blob {
    const struct bh_digest *digest; /* NULL: whatever it turns out to have */
    uint64_t size_bytes;            /* exact; 0 without a digest */
    uint64_t max_bytes;             /* without a digest */
    bool tee;
    uint64_t spool, offset, range_bytes;
};
int store_begin_blob(struct job *job, const struct store_blob *blob, struct store_ingest *ret_ingest,
                     struct bh_error *error);
/* Waits until it is stored. The pipe must have been closed, here and by whoever writes. */
int store_finish_blob(struct store_ingest *ingest, struct bh_digest *ret_digest, uint64_t *ret_bytes,
                      struct bh_error *error);

int store_begin_spool(struct job *job, uint64_t max_bytes, struct store_ingest *ret_ingest, struct bh_error *error);
/* The spool stays open for reading as ingest->id until store_abort(). */
int store_finish_spool(struct store_ingest *ingest, uint64_t *ret_bytes, struct bh_error *error);
int store_open_spool(struct job *job, uint64_t spool, int *ret_fd, struct bh_error *error);

/* An empty image file for the layer of a blob. */
int store_begin_layer(struct job *job, const struct bh_digest *blob, uint64_t *ret_ingest, int *ret_fd,
                      struct bh_error *error);
int store_seal_layer(struct job *job, uint64_t ingest, const struct bh_digest *diff_id, uint64_t *ret_content_bytes,
                     struct bh_error *error);
/* Gives up what was begun, even for a cancelled job. Afterwards it is either gone or was stored, so that a sweep finds
 * it. */
void store_abort(struct job *job, uint64_t ingest);

int store_open_blob(struct job *job, const struct bh_digest *digest, int *ret_fd, uint64_t *ret_bytes,
                    struct bh_error *error);

struct store_content {
    bool blob, layer;
    uint64_t blob_bytes, content_bytes;
    struct bh_digest diff_id; /* if `layer` */
};
int store_stat(struct job *job, const struct bh_digest *digest, struct store_content *ret_content,
               struct bh_error *error);

/* All digests the store has anything of; the array is the caller's. */
int store_list(struct job *job, struct bh_digest **ret_digests, size_t *ret_n_digests, struct bh_error *error);
int store_delete(struct job *job, const struct bh_digest *digest, struct bh_error *error);
