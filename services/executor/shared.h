/* SPDX-License-Identifier: Apache-2.0
 *
 * Namespaces that a container shares with another one of the same tenant: its network, IPC or PID namespace. Whoever
 * shares one of them is in the other's user namespace, too, or it would have no rights in what it shares; all
 * containers of a tenant have the same ids anyway. Called by the launcher.
 */
#pragma once

#include <linux/sched.h>

#include "executor.h"
#include "spec.h"

/* Descriptors, -1 where nothing is shared. */
struct shared {
    int net, ipc, pid, user, mount;
};

#define SHARED_NOTHING                                                                                                 \
    {                                                                                                                  \
        -1, -1, -1, -1, -1                                                                                             \
    }

/* FAILED_PRECONDITION if one of them does not run. What it shares with the host itself is refused: that is asked for,
 * and judged, as the host's. */
int shared_open(const struct executor *executor, const struct container_spec *spec, struct shared *ret_shared,
                struct bh_error *error);

/* clone3(2) from inside the shared namespaces. As after a plain one the caller is the parent, returns twice, and has
 * the pidfd where `arguments` say. */
int shared_clone(const struct shared *shared, struct clone_args *arguments, long *ret_pid, struct bh_error *error);
