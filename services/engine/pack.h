/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers as registries get them: gzip or zstd. What was loaded plain is compressed by an extractor's worker on its way,
 * and remembered by digest, so that a second push knows what to ask for. Blocking; for jobs.
 */
#pragma once

#include "common/digest.h"
#include "services/engine/database_push.h"
#include "services/engine/holds.h"
#include "services/engine/jobs.h"

/* What is remembered of a stored layer. 1 found, 0 not. */
int pack_recall(struct job *job, const struct bh_digest *source, struct packed_layer *ret_packed,
                struct bh_error *error);
/* Sees that the packed form of a stored layer (held by the caller) is stored, too; `holds` then holds it. */
int pack_layer(struct job *job, const struct bh_digest *source, struct holds *holds, struct packed_layer *ret_packed,
               struct bh_error *error);
