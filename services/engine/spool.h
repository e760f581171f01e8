/* SPDX-License-Identifier: Apache-2.0
 *
 * A spool in the store for one scope: bytes on their way, which have no name and are gone with the job.
 */
#pragma once

#include "services/engine/store.h"

#define SPOOL_BYTES_MAX BH_LAYER_BYTES_MAX

struct spool {
    struct store_ingest ingest;
    uint64_t id; /* 0: there is none */
    uint64_t n_bytes;
};
#define SPOOL_NONE                                                                                                     \
    {                                                                                                                  \
        .ingest = STORE_INGEST_NONE                                                                                    \
    }
void spool_end(struct spool *spool);
#define spool_auto bh_cleanup(spool_end)

/* Takes in what comes out of a client's pipe. */
int spool_take(struct job *job, int from, struct spool *spool, struct bh_error *error);
/* Takes in what a compressed file (a blob, another spool) holds. */
int spool_decompress(struct job *job, int source, struct spool *spool, struct bh_error *error);
