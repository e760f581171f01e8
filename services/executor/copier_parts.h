/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of copier.c: one copier on its way, from the mounts it is to see to the process it becomes.
 */
#pragma once

#include "common/copier_start.h"
#include "launch.h"

struct copier_start {
    struct launch launch; /* what mounts are made of: executor, spec, layers, plan, folder */
    enum bh_copier_view view;
    const char *path;       /* FILL: what is copied */
    int job;                /* the job's channel; -1: none */
    int shifted;            /* a user namespace with the tenant's ids; borrowed */
    int user, mount;        /* the namespaces it is going to enter */
    int root, upper, lower; /* detached mounts, -1 for none */
};

/* copier_root.c: gives it namespaces in which the container's root is assembled, mounts and all. In a forked job. */
int copier_assemble(struct copier_start *start, struct bh_error *error);
/* Those of the container's first process. FAILED_PRECONDITION if it has ended. */
int copier_join(struct copier_start *start, int32_t pid, int pidfd, struct bh_error *error);
/* An empty mount namespace and the tenant's ids: for views that need no more than detached mounts. */
int copier_stand_apart(struct copier_start *start, struct bh_error *error);
/* The container's own layer, read-only. */
int copier_mount_upper(struct copier_start *start, struct bh_error *error);
/* The container's root as a detached mount, read-only, of a container that does not run. */
int copier_mount_root(struct copier_start *start, struct bh_error *error);

/* copier_exec.c: forks and executes it. */
int copier_execute(const struct copier_start *start, int32_t *ret_pid, int *ret_pidfd, struct bh_error *error);
/* Waits for its end, at most `deadline_ms`, and no longer than somebody holds the other end of `job` (unless -1); then
 * it is killed. Returns its wait status. */
int copier_await(int32_t pid, int pidfd, int job, int deadline_ms);
