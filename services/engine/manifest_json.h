/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest of an image as OCI's JSON (image-spec manifest.md), from types alone. Deterministic: the same config and
 * layers give the same bytes. Pure. For `save`, and for pushing an image that no registry has given a manifest.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "engine_extractor.pb-c.h"

/* One blob as a manifest names it. */
struct manifest_blob {
    struct bh_digest digest;
    uint64_t size_bytes;               /* of the blob, as it is stored */
    Bulkhead__Compression compression; /* layers */
};

/* The media type of a layer of that compression. OCI has none for xz and bzip2: they are given that of a plain tar, and
 * readers find out as they do for every layer, by looking at it. */
const char *manifest_layer_type(Bulkhead__Compression compression);

/* The same as Docker's schema 2 (distribution's "Image Manifest V 2, Schema 2"), which every registry takes and old
 * ones only. All layers must be gzip: it has no word for anything else. */
int manifest_json_write_docker(const struct manifest_blob *config, const struct manifest_blob *layers, size_t n_layers,
                               char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error);

/* The caller frees *ret_bytes. `layers` are base first. */
int manifest_json_write(const struct manifest_blob *config, const struct manifest_blob *layers, size_t n_layers,
                        char **ret_bytes, size_t *ret_n_bytes, struct bh_error *error);
