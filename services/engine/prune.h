/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing what is not used, all at once. Each function serves one message of api_engine.proto.
 */
#pragma once

#include "services/engine/jobs.h"

int prune_containers(struct job *job, struct bh_error *error);
int prune_nothing(struct job *job, struct bh_error *error);

/* The filters of any prune: `until`, `label`, `label!`. Pure. */
struct prune_filters {
    int64_t until_ns; /* what is newer stays */
    const Bulkhead__Filter *label, *label_not;
};
int prune_filters_read(Bulkhead__Filter *const *filters, size_t n_filters, int64_t now_ns,
                       struct prune_filters *ret_filters, struct bh_error *error);
bool prune_filters_match(const struct prune_filters *filters, int64_t created_ns, Bulkhead__KeyValue *const *labels,
                         size_t n_labels);
