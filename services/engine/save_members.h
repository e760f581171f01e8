/* SPDX-License-Identifier: Apache-2.0
 *
 * What lies in blobs/sha256 of an archive that `save` writes: each digest once, held against garbage collection until
 * it was written. Layers go out as they came if they are plain tars or gzip, which every reader takes (they compare the
 * diff IDs after decompressing); anything else is decompressed into a spool first: Docker 20.10 knows no zstd, and
 * nobody but Docker and podman xz and bzip2.
 */
#pragma once

#include "services/engine/compression.h"
#include "services/engine/holds.h"
#include "services/engine/manifest_json.h"
#include "services/engine/spool.h"

struct saved_member {
    struct bh_digest digest;
    uint64_t n_bytes;
    struct bh_digest blob; /* the stored content it comes from ... */
    struct spool *spool;   /* ... or what that was decompressed into ... */
    const char *bytes;     /* ... or bytes of our own, borrowed */
    Bulkhead__Compression compression;
};

struct saved_members {
    struct job *job;
    struct holds holds;
    struct prober prober;
    struct saved_member *members;
    size_t n_members;
};
void saved_members_end(struct saved_members *members);

/* Each adds one, unless it is there, and says how a manifest names it. */
int saved_members_add_config(struct saved_members *members, const struct bh_digest *digest,
                             struct manifest_blob *ret_blob, struct bh_error *error);
int saved_members_add_layer(struct saved_members *members, const struct bh_digest *blob,
                            const struct bh_digest *diff_id, struct manifest_blob *ret_blob, struct bh_error *error);
int saved_members_add_bytes(struct saved_members *members, const char *bytes, size_t n_bytes,
                            struct bh_digest *ret_digest, struct bh_error *error);

/* By digest: the order in which they are written. */
void saved_members_sort(struct saved_members *members);
/* A descriptor of a member's content; not for those with bytes of our own. */
int saved_member_open(struct saved_members *members, const struct saved_member *member, int *ret_fd,
                      struct bh_error *error);
