/* SPDX-License-Identifier: Apache-2.0
 *
 * Manifests and indexes (image-spec manifest.md and image-index.md, Docker's schema 2). A document is exactly one of
 * the two, and means one thing only: what could be read in two ways is refused. Called by service.c and, for OCI
 * layouts, archive_oci.c.
 */
#pragma once

#include "descriptor.h"

/* One of the two is set. */
struct manifest_document {
    Bulkhead__ParsedManifest *manifest;
    Bulkhead__ParsedIndex *index;
};

void manifest_document_free(struct manifest_document *document);
#define bh_autodocument bh_cleanup(manifest_document_free)

/* Parses a document. `announced` is the type that somebody gave it (Content-Type, descriptor), or UNSPECIFIED; a
 * document that says otherwise is refused. */
int manifest_parse(json_t *json, Bulkhead__MediaType announced, struct manifest_document *ret_document,
                   struct bh_error *error);
/* The same, from a descriptor with the document's bytes. */
int manifest_read(int fd, Bulkhead__MediaType announced, struct manifest_document *ret_document,
                  struct bh_error *error);
