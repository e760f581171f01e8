/* SPDX-License-Identifier: Apache-2.0
 *
 * --init: a first process that passes signals on and collects what is orphaned. No file of the container's is needed
 * for it: the process that set the container up stays, confined exactly as the program is, and without a descriptor.
 */
#pragma once

#include "common/error.h"

/* Forks; the child executes the program, the parent stays until it ends and exits as it did. Only returns, in the
 * child, to say why the program cannot be executed. `failure` is closed in the parent. */
int reaper_run(const char *path, char *const *args, char *const *env, int failure, struct bh_error *error);
