/* SPDX-License-Identifier: Apache-2.0
 *
 * The process whose namespaces are entered to get into a container. That is its first process, unless that is our own
 * --init, which the kernel lets nobody look into: then it is what that one has started.
 */
#pragma once

#include "running.h"

/* FAILED_PRECONDITION: the container has ended. The pidfd is the caller's. */
int entry_find(const struct running *running, int32_t *ret_pid, int *ret_pidfd, struct bh_error *error);
