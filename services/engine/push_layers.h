/* SPDX-License-Identifier: Apache-2.0
 *
 * The layers of one image on their way to a registry, a few at a time. Called by push.c.
 */
#pragma once

#include "common/digest.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/jobs.h"

/* Where to. */
struct push_target {
    struct bh_channel *registry; /* a worker, opened for pushing */
    const char *host;            /* the registry, as blob sources name it */
    const char *repository;
};

struct push_layer {
    struct bh_digest source;           /* the stored blob */
    struct bh_digest diff_id;          /* how Docker's progress names the layer */
    bool as_stored;                    /* the manifest that is pushed names the stored blob itself */
    struct bh_digest digest;           /* in the registry: the result, given with `as_stored` */
    uint64_t size_bytes;               /* likewise */
    Bulkhead__Compression compression; /* the result */
};

#define PUSH_LAYERS_AT_ONCE 5 /* Docker's max-concurrent-uploads */

/* Sees that the registry has them all. The caller holds every `source`. The first error ends the others. */
int push_layers(struct job *job, const struct push_target *target, struct push_layer *layers, size_t n_layers,
                struct bh_error *error);

/* One blob (a config, or what a layer became): there, mounted or uploaded. `layer` NULL: without a word to the client.
 * `fd` -1: NOT_FOUND unless it is there or can be mounted. */
int push_blob(struct job *job, const struct push_target *target, const struct bh_digest *digest, uint64_t size_bytes,
              int fd, const struct push_layer *layer, struct bh_error *error);
