/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing what a container left on disk. The upper's names and depth are the container's own choice.
 */
#pragma once

#include "executor.h"
#include "job.h"

struct removal {
    char name[65];           /* the id in hex */
    char cgroup_parent[256]; /* where its cgroup lies; empty: it has none */
};

extern const struct job_kind remove_job;

/* Removes a tree below `above`: from descriptor to descriptor, no link followed, no recursion, at any depth. Absent is
 * no error. */
int remove_tree(int above, const char *name, struct bh_error *error);
