/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about what is stored: the answers to StatContent, ListContent, OpenBlob and OpenSpool.
 */
#pragma once

#include "common/channel.h"
#include "store.h"

/* Each answers the request, or returns -1 and leaves that to the caller. */
int content_stat(struct store *store, const struct bh_digest *digest, struct bh_request *request,
                 struct bh_error *error);
int content_open_blob(struct store *store, const struct bh_digest *digest, struct bh_request *request,
                      struct bh_error *error);
int content_open_spool(struct store *store, uint64_t spool, struct bh_request *request, struct bh_error *error);

/* Streams all entries a few at a time, so that others are served meanwhile and the queue of the channel is never
 * flooded. What is deleted while it runs may be missing. */
int content_list(struct store *store, struct bh_request *request, struct bh_error *error);
