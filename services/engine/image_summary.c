/* SPDX-License-Identifier: Apache-2.0
 *
 * See image_summary.h.
 */
#include "services/engine/image_summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/reference.h"
#include "services/engine/image_chains.h"

void shown_names_end(struct shown_names *names)
{
    for (size_t i = 0; i < names->n_tags; i++) {
        free(names->tags[i]);
    }
    for (size_t i = 0; i < names->n_digests; i++) {
        free(names->digests[i]);
    }
    free(names->tags);
    free(names->digests);
    *names = (struct shown_names){0};
}

int show_names(const struct image_row *row, struct shown_names *ret_names, struct bh_error *error)
{
    ret_names->tags = calloc(row->n_names + 1, sizeof *ret_names->tags);
    ret_names->digests = calloc(row->n_names + 1, sizeof *ret_names->digests);
    for (size_t i = 0; ret_names->tags && ret_names->digests && i < row->n_names; i++) {
        struct bh_reference reference;
        char familiar[BH_REFERENCE_BYTES_MAX + 1];
        if (bh_reference_parse(row->names[i], &reference, error) < 0) {
            return -1;
        }
        char *copy = strdup(bh_reference_familiar(&reference, familiar, sizeof familiar));
        if (!copy) {
            return bh_error_errno(error, ENOMEM, "name an image");
        }
        if (reference.has_digest) {
            ret_names->digests[ret_names->n_digests++] = copy;
        } else {
            ret_names->tags[ret_names->n_tags++] = copy;
        }
    }
    return ret_names->tags && ret_names->digests ? 0 : bh_error_errno(error, ENOMEM, "name an image");
}

Bulkhead__ImageSummary summary_message(struct image_row *row, struct shown_names *names)
{
    Bulkhead__ImageSummary summary = BULKHEAD__IMAGE_SUMMARY__INIT;
    summary.id = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->id.bytes};
    if (row->has_parent) {
        summary.parent = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = row->parent.bytes};
    }
    summary.tags = names->tags;
    summary.n_tags = names->n_tags;
    summary.digests = names->digests;
    summary.n_digests = names->n_digests;
    summary.created_ns = row->config->created_ns;
    summary.labels = row->config->labels;
    summary.n_labels = row->config->n_labels;
    summary.containers = row->containers;
    summary.size_bytes = image_chain_bytes(row, 0, row->n_layers);
    return summary;
}
