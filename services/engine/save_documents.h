/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents at the root of an archive that `save` writes: OCI's index.json and oci-layout, and docker-archive's
 * manifest.json and repositories. From types alone; pure.
 */
#pragma once

#include "common/json_write.h"
#include "services/engine/save_select.h"

/* One image of the archive. */
struct saved_document {
    const struct saved_image *image; /* borrowed */
    char *manifest;                  /* JSON */
    size_t manifest_bytes;
    struct bh_digest manifest_digest;
    struct bh_digest layers[BH_LAYERS_MAX]; /* of the members, base first */
};
void saved_document_clear(struct saved_document *document);

int write_index_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                         struct bh_error *error);
int write_manifest_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                            struct bh_error *error);
/* Of each repository its tags, and the id of the image that each one names. */
int write_repositories_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                                struct bh_error *error);
int write_layout_document(const struct saved_document *documents, size_t n_documents, struct json_writer *writer,
                          struct bh_error *error);
