/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs and spools from the first byte to their name: the loop's side of intake.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/channel.h"
#include "store.h"

/* A BeginBlob that was checked. */
struct blob_request {
    bool digest_known;
    struct bh_digest digest;
    uint64_t size_bytes; /* 0: not known */
    uint64_t max_bytes;
    bool tee;
    bool ranged; /* the bytes are in a spool */
    uint64_t spool, range_offset, range_bytes;
};

/* Start a worker and answer the request: IngestStarted now, BlobStored or SpoolStored when it is done. -1: nothing was
 * started and the caller answers. */
int blob_begin(struct store *store, const struct blob_request *wanted, struct bh_request *request,
               struct bh_error *error);
int spool_begin(struct store *store, uint64_t max_bytes, struct bh_request *request, struct bh_error *error);

/* Opens a complete spool once more, read-only. NOT_FOUND if there is none of that id, FAILED_PRECONDITION if it is not
 * complete. */
int spool_open(struct store *store, uint64_t id, int *ret_fd, uint64_t *ret_bytes, struct bh_error *error);
