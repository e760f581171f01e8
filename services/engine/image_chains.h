/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers as Docker counts them: a layer is the same where everything below it is the same, too, and its name is then
 * the chain ID (image-spec config.md, "Layer ChainID"). Within one tenant; pure.
 */
#pragma once

#include "services/engine/database.h"

/* How many layers, from the base, two images have in common. */
size_t image_chain_common(const struct image_row *a, const struct image_row *b);
/* The most that `row` has in common with any of `others` (`row` itself, by its id, does not count). */
size_t image_chain_shared(const struct image_row *row, const struct image_row *others, size_t n_others);
/* The content of a row's layers from `first` up to `end`. */
uint64_t image_chain_bytes(const struct image_row *row, size_t first, size_t end);

/* The chain ID of each layer, base first: row->n_layers of them. */
int image_chain_ids(const struct image_row *row, struct bh_digest *ret_ids, struct bh_error *error);
