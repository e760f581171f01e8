/* SPDX-License-Identifier: Apache-2.0
 *
 * The last steps to a program inside a container, the same for its first process (container_init.c) and for those that
 * join it later (exec_init.c): who it is by the container's own files, what it may, and the program itself.
 */
#pragma once

#include <stdbool.h>

#include "launch.h"

#define CONFINE_FAILURE_FD 3 /* right behind the standard streams; close-on-exec */
#define CONFINE_INIT_FD    4 /* bulkhead-init, if the container is to have one; close-on-exec */

/* In the process that becomes the program: inside the container's namespaces, as its root, with nothing open but 0, 1,
 * 2, CONFINE_FAILURE_FD and, with an init, CONFINE_INIT_FD. `first`: it is the container's first process, whose working
 * directory is made if it is missing and which may be an init. Only returns on failure. */
int confine_and_execute(struct launch *launch, bool first, struct bh_error *error);
