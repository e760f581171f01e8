/* SPDX-License-Identifier: Apache-2.0
 *
 * See image_chains.h.
 */
#include "services/engine/image_chains.h"

#include <stdio.h>
#include <string.h>

static const ProtobufCBinaryData *diff_id(const struct image_row *row, size_t index)
{
    return index < row->config->n_diff_ids ? &row->config->diff_ids[index] : NULL;
}

size_t image_chain_common(const struct image_row *a, const struct image_row *b)
{
    size_t common = 0;
    while (common < a->n_layers && common < b->n_layers) {
        const ProtobufCBinaryData *left = diff_id(a, common), *right = diff_id(b, common);
        if (!left || !right || left->len != right->len || memcmp(left->data, right->data, left->len) != 0) {
            break;
        }
        common++;
    }
    return common;
}

size_t image_chain_shared(const struct image_row *row, const struct image_row *others, size_t n_others)
{
    size_t most = 0;
    for (size_t i = 0; i < n_others; i++) {
        if (!bh_digest_equal(&row->id, &others[i].id)) {
            size_t common = image_chain_common(row, &others[i]);
            most = common > most ? common : most;
        }
    }
    return most;
}

uint64_t image_chain_bytes(const struct image_row *row, size_t first, size_t end)
{
    uint64_t bytes = 0;
    for (size_t i = first; i < end && i < row->n_layers; i++) {
        bytes += row->layers[i].size_bytes;
    }
    return bytes;
}

int image_chain_ids(const struct image_row *row, struct bh_digest *ret_ids, struct bh_error *error)
{
    for (size_t i = 0; i < row->n_layers; i++) {
        const ProtobufCBinaryData *bytes = diff_id(row, i);
        struct bh_digest layer;
        char text[2 * BH_DIGEST_TEXT_SIZE], below[BH_DIGEST_TEXT_SIZE], own[BH_DIGEST_TEXT_SIZE];
        if (bh_digest_from_bytes(bytes ? bytes->data : NULL, bytes ? bytes->len : 0, &layer, error) < 0) {
            return -1;
        }
        if (i == 0) {
            ret_ids[0] = layer;
            continue;
        }
        int n =
            snprintf(text, sizeof text, "%s %s", bh_digest_text(&ret_ids[i - 1], below), bh_digest_text(&layer, own));
        if (bh_digest_of(text, (size_t)n, &ret_ids[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}
