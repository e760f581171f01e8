/* SPDX-License-Identifier: Apache-2.0
 *
 * A manifest or index from a registry into the store, so that it can be read by an extractor's worker. Called by pull.c
 * and distribution.c.
 */
#pragma once

#include "common/digest.h"
#include "services/engine/holds.h"
#include "services/engine/jobs.h"
#include "types.pb-c.h"

/* By `expected`, or (NULL) by tag, whatever its digest. `holds` then holds it. */
int manifest_fetch(struct job *job, struct bh_channel *registry, const char *tag, const struct bh_digest *expected,
                   struct holds *holds, struct bh_digest *ret_digest, Bulkhead__MediaType *ret_announced,
                   struct bh_error *error);
