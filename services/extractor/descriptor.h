/* SPDX-License-Identifier: Apache-2.0
 *
 * Content descriptors (image-spec descriptor.md) and the media types that we know.
 */
#pragma once

#include "engine_extractor.pb-c.h"
#include "json.h"

/* The type that `text` names; MEDIA_TYPE_UNSPECIFIED if it is none that we know. */
Bulkhead__MediaType media_type_parse(const char *text);
const char *media_type_name(Bulkhead__MediaType type);

static inline bool media_type_is_manifest(Bulkhead__MediaType type)
{
    return type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST ||
           type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_MANIFEST;
}

static inline bool media_type_is_index(Bulkhead__MediaType type)
{
    return type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_MANIFEST_LIST ||
           type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_INDEX;
}

static inline bool media_type_is_config(Bulkhead__MediaType type)
{
    return type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_CONFIG ||
           type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_CONFIG;
}

static inline bool media_type_is_layer(Bulkhead__MediaType type)
{
    return type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_DOCKER_LAYER || type == BULKHEAD__MEDIA_TYPE__MEDIA_TYPE_OCI_LAYER;
}

struct descriptor {
    Bulkhead__MediaType media_type; /* MEDIA_TYPE_UNSPECIFIED: one that we do not know */
    const char *media_type_text;    /* borrowed from the document */
    struct bh_digest digest;
    uint64_t size_bytes;
};

/* Reads a descriptor: digest and size strictly, at most `max_bytes`, no `urls`. Its type is left to the caller. `path`
 * names it in errors. */
int descriptor_parse(json_t *object, const char *path, uint64_t max_bytes, struct descriptor *ret_descriptor,
                     struct bh_error *error);

/* A message of it, for free_unpacked() to take back. NULL with `error` set if there is no memory. */
Bulkhead__Descriptor *descriptor_message(const struct descriptor *descriptor, struct bh_error *error);
