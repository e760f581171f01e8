/* SPDX-License-Identifier: Apache-2.0
 *
 * Compressed content: extractor's workers say what it is, and take the compression away. Blocking; for jobs.
 */
#pragma once

#include "common/digest.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/channels.h"

/* Asks one blob after another how it is compressed; one worker answers for all. Ended with its scope. */
struct prober {
    struct bh_channel *worker;
};
static inline void prober_end(struct prober *prober)
{
    worker_close(&prober->worker);
}
#define prober_auto bh_cleanup(prober_end)

int prober_ask(struct prober *prober, struct job *job, int fd, Bulkhead__Compression *ret_compression,
               struct bh_error *error);
/* The same for a stored blob. */
int prober_ask_blob(struct prober *prober, struct job *job, const struct bh_digest *digest,
                    Bulkhead__Compression *ret_compression, uint64_t *ret_bytes, struct bh_error *error);

/* Decompresses `source` (a file) into *pipe, and closes that. Both ends are then closed everywhere. */
int decompress_into(struct job *job, int source, int *pipe, uint64_t max_bytes, struct bh_error *error);
