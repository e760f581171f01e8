/* SPDX-License-Identifier: Apache-2.0
 *
 * An image's configuration as the one JSON document that its id is the digest of (image-spec config.md). Canonical:
 * keys in the order of their bytes, nothing empty, no white space, so that the same configuration gives the same id.
 * Pure. The engine may write JSON though it never reads any: what goes in is typed and bounded, what comes out is read
 * by an extractor's worker before anybody relies on it (image_write.c).
 */
#pragma once

#include <stddef.h>

#include "common/error.h"
#include "types.pb-c.h"

/* The caller frees *ret_bytes. INVALID_ARGUMENT for a label, port or volume that is there twice, and for a document
 * that would be larger than BH_CONFIG_BYTES_MAX. */
int config_json_write(const Bulkhead__ImageConfig *config, char **ret_bytes, size_t *ret_n_bytes,
                      struct bh_error *error);
