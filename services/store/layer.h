/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers from an empty file to a sealed image: the loop's side of layer_seal.c.
 */
#pragma once

#include <stdint.h>

#include "common/channel.h"
#include "store.h"

/* Answers the request with IngestStarted and the empty image file. ALREADY_EXISTS if the layer is sealed. */
int layer_begin(struct store *store, const struct bh_digest *blob, struct bh_request *request, struct bh_error *error);

/* Starts the sealing; the request is answered when it is done. -1: the caller answers; the ingest has ended, unless it
 * is none (NOT_FOUND) or is being sealed already (FAILED_PRECONDITION). */
int layer_seal(struct store *store, uint64_t id, const struct bh_digest *diff_id, struct bh_request *request,
               struct bh_error *error);
