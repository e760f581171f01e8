/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs and layers come into the store: from a registry or out of a loaded archive, verified and extracted in one pass,
 * or not at all if they are there. Content that another tenant brought in is used only after the registry that it came
 * from has confirmed that this tenant may read it; from any other it is fetched again.
 */
#pragma once

#include "common/digest.h"
#include "services/engine/jobs.h"
#include "types.pb-c.h"

/* Where bytes come from: a registry's worker, or a range of a spool. */
struct layer_source {
    struct bh_channel *registry; /* NULL: the spool */
    const char *host;            /* of the registry */
    uint64_t spool, offset;
};

/* Sees that a small blob (a config) is stored. The caller holds `digest`. */
int blob_ensure(struct job *job, const struct layer_source *source, const struct bh_digest *digest, uint64_t size_bytes,
                struct bh_error *error);

/* Sees that a layer is stored, sealed, and is `diff_id` uncompressed. Tells the client of each step. The caller holds
 * `digest`. */
int layer_ensure(struct job *job, const struct layer_source *source, const struct bh_digest *digest,
                 uint64_t size_bytes, const struct bh_digest *diff_id, uint64_t *ret_content_bytes,
                 struct bh_error *error);

/* Turns a blob that this tenant has brought in just now into a layer, whatever its diff ID is. The caller holds
 * `digest`.
 */
int layer_extract(struct job *job, const struct bh_digest *digest, struct bh_digest *ret_diff_id,
                  uint64_t *ret_content_bytes, struct bh_error *error);

/* All layers of one image, a few at a time. `layers` are base first; the first error ends the others. */
struct layer_task {
    struct layer_source source;
    struct bh_digest digest;
    struct bh_digest diff_id;
    uint64_t size_bytes;
    uint64_t content_bytes; /* the result */
};
int layers_ensure(struct job *job, struct layer_task *layers, size_t n_layers, struct bh_error *error);

/* Progress of a request, in Docker's steps. `digest` gives the id; NULL: none. */
void progress_layer(struct job *job, Bulkhead__ProgressKind kind, const struct bh_digest *digest,
                    uint64_t current_bytes, uint64_t total_bytes);
void progress_text(struct job *job, Bulkhead__ProgressKind kind, const char *id, const char *text);
