/* SPDX-License-Identifier: Apache-2.0
 *
 * One start of a container, from its folder to its running program. Runs in a forked child of the executor, which
 * becomes the container's monitor when all is done.
 */
#pragma once

#include "cgroup.h"
#include "executor.h"
#include "plan.h"

/* Everything one start works with. Its descriptors live until the child becomes the monitor. */
struct launch {
    struct executor *executor;
    const struct container_spec *spec;
    struct plan *plan;
    const int *layers; /* mounts, base first */
    size_t n_layers;
    const int *attachments;
    size_t n_attachments;
    const void *packed; /* the spec as it came, for the record */
    size_t packed_bytes;
    const struct seccomp_program *filter; /* NULL: unconfined */
    const struct seccomp_program *monitor_filter;

    uint32_t tenant_gid;
    int folder, logs; /* the container's own */
    int journal;      /* connected to the host's journal; -1: it logs elsewhere */
    struct cgroup cgroup;
    int tasks[CGROUP_HIERARCHIES_MAX]; /* v1: `tasks` of each hierarchy, open for writing */
    int binds_userns;                  /* id map of bind mounts */
    int dev, devpts;                   /* detached; attached inside later */
    int terminal, terminal_inside;     /* the pty's two ends, with a tty */
    int inside[3], outside[3];         /* standard streams; outside[i] is the monitor's end, -1 where none */
    int proc, root;                    /* inside: the mounted procfs, the new root */
    int cgroup_mounts[CGROUP_HIERARCHIES_MAX];
    int pid;
    int pidfd;
    int64_t started_at_ns;
};

extern const struct job_kind launch_job;
