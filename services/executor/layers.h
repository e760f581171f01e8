/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounted layers: one read-only, idmapped EROFS mount per layer and tenant, detached and visible in no mount namespace
 * (before Linux 6.15: attached in the executor's own). The images were checked and sealed by the store; here it is only
 * checked that it was the store.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"
#include "userns.h"

#define LAYER_CACHE_MAX 512

struct layer_mount {
    struct bh_digest digest;
    uint32_t id_base;
    uint64_t device, inode; /* of the image: a removed and re-made layer is another one */
    uint64_t used;          /* for the oldest to go first */
    int image, mount;
    bool opaque; /* hides all layers below it, whole */
};

struct layer_cache {
    struct layer_mount entries[LAYER_CACHE_MAX];
    size_t n;
    uint64_t clock;
    int attic; /* where the mounts are attached for kernels before 6.15, or -1 */
};

/* Before anything else. Linux before 6.15 stacks only what is attached in its own mount namespace: there, a tmpfs over
 * `folder` (whose descriptors still reach what is below) has a place for each layer. `detached` is any detached mount,
 * to try it with. */
int layers_init(struct layer_cache *cache, int folder, int detached, struct bh_error *error);

/* The layer's mount, borrowed from the cache. `folder` is the store's, `store_uid` its owner. NOT_FOUND if there is no
 * such layer, DATA_LOSS if it is not as the store leaves it. *ret_opaque: its root hides what lies below (OCI
 * image-spec, layer.md "Opaque Whiteout"), which overlayfs, that merges roots whatever they say, must be spared. */
int layers_get(struct layer_cache *cache, struct userns_cache *userns, int folder, uint32_t store_uid,
               const struct bh_digest *digest, uint32_t id_base, uint32_t id_count, int *ret_mount, bool *ret_opaque,
               struct bh_error *error);
/* Gives a detached mount a place there, if there has to be one: before it is cloned or stacked. Returns -1 with errno.
 */
int layers_attach(const struct layer_cache *cache, int mount);
/* Takes it from its place; its descriptor stays the caller's. */
void layers_detach(const struct layer_cache *cache, int mount);
/* Lets go of layers that the store has removed. */
void layers_sweep(struct layer_cache *cache);
void layers_free(struct layer_cache *cache);
