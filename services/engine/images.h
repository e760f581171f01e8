/* SPDX-License-Identifier: Apache-2.0
 *
 * Images and their names: list, inspect, tag, delete, prune, with Docker's rules and words.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* images_list.c */
int list_images(struct job *job, struct bh_error *error);
/* images.c */
int inspect_image(struct job *job, struct bh_error *error);
int tag_image(struct job *job, struct bh_error *error);
/* images_delete.c */
int delete_image(struct job *job, struct bh_error *error);
/* images_prune.c */
int prune_images(struct job *job, struct bh_error *error);

/* ---- what these share --------------------------------------------------------------------------- */

/* Is it the parent of one of `rows`, which are all the tenant's images? Those kept for containers do not count. Pure.
 */
bool image_has_children(const struct image_row *row, const struct image_row *rows, size_t n_rows);
/* The filter `until` (may be NULL): *until_ns becomes its earliest value, if that is before it. */
int images_until(const Bulkhead__Filter *filter, int64_t *until_ns, struct bh_error *error);
