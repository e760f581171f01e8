/* SPDX-License-Identifier: Apache-2.0
 *
 * What a tenant's images may take on disk: whatever makes an image appear asks here first.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* May the tenant's images have these layers as well? One that they have counts once, as does one that is listed twice.
 * `size_bytes` is a layer's content, or for one that is yet to be fetched what its manifest says. PERMISSION_DENIED. */
int image_quota_admit(struct job *job, const struct image_layer *layers, size_t n_layers, struct bh_error *error);
/* The layers of several images that are to appear together. */
int image_quota_admit_rows(struct job *job, const struct image_row *rows, size_t n_rows, struct bh_error *error);
