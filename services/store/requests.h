/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine's messages must look like beyond their shape: the step from protobuf to the store's own structures.
 * Pure functions; the engine is a peer that may have been taken over.
 */
#pragma once

#include "blob.h"
#include "engine_store.pb-c.h"

/* INVALID_ARGUMENT says which field is wrong and what would have been right. */
int blob_request_from(const Bulkhead__BeginBlob *message, struct blob_request *ret_request, struct bh_error *error);
int spool_request_from(const Bulkhead__BeginSpool *message, uint64_t *ret_max_bytes, struct bh_error *error);
