/* SPDX-License-Identifier: Apache-2.0
 *
 * The digests that one pull or load relies on, held against garbage collection until it is over. Ended with its scope.
 */
#pragma once

#include <pthread.h>

#include "common/digest.h"
#include "services/engine/jobs.h"

struct holds {
    struct content *content;
    struct bh_digest *digests;
    size_t n_digests;
};
int holds_add(struct holds *holds, struct job *job, const struct bh_digest *digest, struct bh_error *error);
void holds_end(struct holds *holds);
#define holds_auto bh_cleanup(holds_end)
