/* SPDX-License-Identifier: Apache-2.0
 *
 * See manifest_fetch.h.
 */
#include "services/engine/manifest_fetch.h"

#include "common/limits.h"
#include "services/engine/content.h"
#include "services/engine/registry.h"
#include "services/engine/store.h"

static int fetch_manifest(struct job *job, struct bh_channel *registry, const char *tag,
                          const struct bh_digest *expected, struct holds *holds, struct bh_digest *ret_digest,
                          Bulkhead__MediaType *ret_announced, struct bh_error *error)
{
    const struct store_blob blob = {.max_bytes = BH_MANIFEST_BYTES_MAX};
    store_ingest_auto struct store_ingest ingest = STORE_INGEST_NONE;
    uint64_t n_bytes;
    /* Without a digest even where one is known: a manifest is small, its owner is asked each time, and what comes is
     * compared below. */
    if (store_begin_blob(job, &blob, &ingest, error) < 0) {
        return -1;
    }
    int fetched = registry_fetch_manifest(job, registry, tag, expected, ingest.pipe, ret_announced, error);
    if (fetched < 0) {
        return -1;
    }
    bh_close(&ingest.pipe);
    if (store_finish_blob(&ingest, ret_digest, &n_bytes, error) < 0 || holds_add(holds, job, ret_digest, error) < 0) {
        return -1;
    }
    if (expected && !bh_digest_equal(expected, ret_digest)) {
        char wanted[BH_DIGEST_TEXT_SIZE], is[BH_DIGEST_TEXT_SIZE];
        return bh_error_set(error, BH_DATA_LOSS, "the registry sent manifest %s instead of %s",
                            bh_digest_text(ret_digest, is), bh_digest_text(expected, wanted));
    }
    return 0;
}

int manifest_fetch(struct job *job, struct bh_channel *registry, const char *tag, const struct bh_digest *expected,
                   struct holds *holds, struct bh_digest *ret_digest, Bulkhead__MediaType *ret_announced,
                   struct bh_error *error)
{
    if (content_begin_unnamed(job, error) < 0) {
        return -1;
    }
    int result = fetch_manifest(job, registry, tag, expected, holds, ret_digest, ret_announced, error);
    content_end_unnamed(job->engine->content);
    return result;
}
