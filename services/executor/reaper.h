/* SPDX-License-Identifier: Apache-2.0
 *
 * --init: a first process that passes signals on and collects what is orphaned. No file of the container's is needed
 * for it: it is our own bulkhead-init, executed by descriptor, confined exactly as the program is.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"

/* Executes the init, which forks the program. `program` is bulkhead-init's descriptor, close-on-exec. Only returns to
 * say why it cannot be executed; a program that the init cannot execute ends it with 126 or 127, as with Docker's. */
int reaper_run(int program, const char *path, char *const *args, size_t n_args, char *const *env,
               struct bh_error *error);
