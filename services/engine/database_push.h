/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine remembers for pushing: a repository's tags, the packed form of layers, and in which repositories of a
 * registry a tenant has met a blob, so that it can be mounted from there. Losing any of it costs time, nothing else.
 */
#pragma once

#include "services/engine/database.h"

/* One tag of a repository, and its image. */
struct repository_tag {
    char tag[BH_TAG_BYTES_MAX + 1];
    struct bh_digest image;
};
/* The tags that a tenant has of a repository ("docker.io/library/busybox"), by name; the array is the caller's. */
int database_repository_tags(struct database *database, uint32_t tenant_uid, const char *repository,
                             struct repository_tag **ret_tags, size_t *ret_n_tags, struct bh_error *error);
/* Whether there is any name of it, a digest's included. 1 or 0. */
int database_repository_known(struct database *database, uint32_t tenant_uid, const char *repository,
                              struct bh_error *error);

/* A stored layer as registries get it. Packing a layer anew gives the same; the digest alone is of no use to anybody
 * who has not got the layer, so it is shared between tenants like the layer is. */
struct packed_layer {
    struct bh_digest digest;
    uint64_t size_bytes;
    uint32_t compression; /* Bulkhead__Compression */
};
/* 1 found, 0 not. */
int database_packed_layer(struct database *database, const struct bh_digest *source, struct packed_layer *ret_packed,
                          struct bh_error *error);
/* Those of layers that no image has any more are forgotten on the way. */
int database_set_packed_layer(struct database *database, const struct bh_digest *source,
                              const struct packed_layer *packed, struct bh_error *error);

#define BLOB_SOURCES_MAX 10000 /* remembered of one tenant; the oldest are forgotten */

/* Up to `max` repositories where the tenant has met this blob, the latest first, `but` left out. The strings are the
 * caller's. */
int database_blob_sources(struct database *database, uint32_t tenant_uid, const char *registry,
                          const struct bh_digest *digest, const char *but, char **ret_repositories, size_t max,
                          size_t *ret_n_repositories, struct bh_error *error);
/* The tenant has pulled these blobs from, or pushed them to, a repository. */
int database_add_blob_sources(struct database *database, uint32_t tenant_uid, const char *registry,
                              const char *repository, const struct bh_digest *digests, size_t n_digests, int64_t now_ns,
                              struct bh_error *error);

/* Gives an image a name with a digest, after a push. The time of its last tag stays. */
int database_add_digest_name(struct database *database, uint32_t tenant_uid, const char *name,
                             const struct bh_digest *id, struct bh_error *error);
