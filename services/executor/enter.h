/* SPDX-License-Identifier: Apache-2.0
 *
 * Entering a running container: a child process that is born inside the namespaces of the container's first process.
 * Called in a forked job (job.h) with the executor's capabilities; reads nothing of the container's. What may be
 * hostile is everything that runs inside already, and it must gain nothing from the newcomer: no descriptor, no look
 * into its memory, no byte of the host.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cgroup.h"
#include "common/error.h"

#define ENTER_DESCRIPTORS_MAX 16
/* Entering takes a millisecond. A container that is frozen meanwhile would hold it up for ever. */
#define ENTER_DEADLINE_MS 10000

struct enter {
    int pidfd;                   /* of the container's first process; borrowed */
    uint64_t namespaces;         /* CLONE_NEW*: which of its namespaces. With CLONE_NEWUSER the child becomes the
                                  * container's root, else it stays the host's */
    const struct cgroup *cgroup; /* entered before all else; NULL: the caller's */
    const int *descriptors;      /* all that the child has: they become its 0, 1, 2..., not close-on-exec */
    size_t n_descriptors;
    const char *selinux_label, *apparmor_profile; /* of a program that it executes; NULL or "": none */
};

/* Forks a child of the caller that calls `inside`, which never returns. The child is inside from its first instruction
 * on: already a member of the container's cgroup, with nothing open but `descriptors`, non-dumpable, at the root of
 * the container's mount namespace, and dies with its parent until it says otherwise. FAILED_PRECONDITION: the
 * container has ended. The caller owns the pidfd and waits for the child. */
int enter_spawn(const struct enter *enter, void (*inside)(void *argument), void *argument, int32_t *ret_pid,
                int *ret_pidfd, struct bh_error *error);
