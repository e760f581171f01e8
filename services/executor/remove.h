/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing what a container left on disk. The upper's names and depth are the container's own choice.
 */
#pragma once

#include "executor.h"

/* Takes a container that does not run away: its folders get names nobody looks for, at once; a forked child then
 * removes them and the cgroup. What a crash cuts short is finished by remove_leftovers(). `cgroup_parent` is where its
 * cgroup lies. */
int remove_container(const struct executor *executor, const char *name, const char *cgroup_parent,
                     struct bh_error *error);

/* At start: finishes what an earlier executor began to remove. */
int remove_leftovers(const struct executor *executor, struct bh_error *error);

/* Removes a tree below `above`: from descriptor to descriptor, no link followed, no recursion, at any depth. Absent is
 * no error. */
int remove_tree(int above, const char *name, struct bh_error *error);
