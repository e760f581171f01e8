/* SPDX-License-Identifier: Apache-2.0
 *
 * Images that are made here (import, commit, build), not brought in from a registry or an archive. In this order:
 *
 *     holds_auto struct holds holds = {0};
 *     layer_intake_auto struct layer_intake intake = LAYER_INTAKE_NONE;
 *     layer_intake_begin(job, &intake, error)           intake.ingest.pipe is where the layer's tar goes, compressed or
 *                                                       not; a worker may be handed a copy of it
 *     layer_intake_finish(&intake, &holds, &layer, error)   hashed, stored, extracted, sealed
 *     image_write(job, &holds, &draft, &id, error)      config written, stored, judged, and the image is there
 *
 * Everything before the last step is nobody's yet: what fails or is cancelled leaves bytes that garbage collection
 * takes (call garbage_start() then). Manifests are not stored: they follow from the config and the layers
 * (manifest_json.h).
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/holds.h"
#include "services/engine/store.h"

/* A layer that was stored and extracted. */
struct new_layer {
    struct bh_digest digest;  /* of the blob, as it came */
    uint64_t size_bytes;      /* of the blob */
    struct bh_digest diff_id; /* of the tar in it */
    uint64_t content_bytes;   /* sum of its files */
};

struct layer_intake {
    struct job *job;
    struct store_ingest ingest; /* .pipe: to write to */
};
#define LAYER_INTAKE_NONE                                                                                              \
    {                                                                                                                  \
        .ingest = STORE_INGEST_NONE                                                                                    \
    }
static inline void layer_intake_end(struct layer_intake *intake)
{
    store_ingest_end(&intake->ingest);
}
#define layer_intake_auto bh_cleanup(layer_intake_end)

int layer_intake_begin(struct job *job, struct layer_intake *intake, struct bh_error *error);
/* The writer is done: whoever else had the pipe has closed it. Closes our end (keep it open until here: the store takes
 * its end for the layer's end), waits for the blob, holds it, and turns it into a layer. A tar with bad structure is
 * INVALID_ARGUMENT or DATA_LOSS. */
int layer_intake_finish(struct layer_intake *intake, struct holds *holds, struct new_layer *ret_layer,
                        struct bh_error *error);
/* The first half of it: stored and held, and not looked at yet. Sets the digest and size only. */
int layer_intake_store(struct layer_intake *intake, struct holds *holds, struct new_layer *layer,
                       struct bh_error *error);

/* The image to be made. All borrowed. */
struct image_draft {
    const Bulkhead__ImageConfig *config; /* whole, with the diff ID of each layer, and history */
    const struct image_layer *layers;    /* base first; held by the caller */
    size_t n_layers;
    const char *const *names; /* whole references (resolve_reference()), may be none */
    size_t n_names;
    const struct bh_digest *parent; /* the tenant's image it was made from; NULL: none */
    /* what events tell beside the names: */
    bool imported;
    const struct container_row *committed; /* from this container, with a comment */
    const char *comment;
};

/* The names are judged by policyd, then the image appears with all its names and events or not at all. *ret_id is its
 * id. */
int image_write(struct job *job, struct holds *holds, const struct image_draft *draft, struct bh_digest *ret_id,
                struct bh_error *error);
