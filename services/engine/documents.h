/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of extractor workers: to read verified documents and archives, and to turn layers into images. A
 * worker serves one question. Blocking; for jobs.
 */
#pragma once

#include "common/digest.h"
#include "engine_extractor.pb-c.h"
#include "services/engine/jobs.h"

/* A parsed manifest or index: whichever it is, its field is set. The messages live in `message`. */
struct document {
    struct bh_message *message;
    const Bulkhead__ParsedManifest *manifest;
    const Bulkhead__ParsedIndex *index;
};
void document_end(struct document *document);
#define document_auto bh_cleanup(document_end)

/* Reads the stored blob `digest` as a manifest or index. `announced` may be MEDIA_TYPE_UNSPECIFIED: not known. */
int document_parse(struct job *job, const struct bh_digest *digest, Bulkhead__MediaType announced,
                   struct document *ret_document, struct bh_error *error);

/* Reads the stored blob `digest` as an image's config; the result is freed with
 * bulkhead__image_config__free_unpacked(). Checks that it is for linux and has a diff ID for each of `n_layers`. */
int document_parse_config(struct job *job, const struct bh_digest *digest, size_t n_layers,
                          Bulkhead__ImageConfig **ret_config, struct bh_error *error);
