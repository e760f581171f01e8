/* SPDX-License-Identifier: Apache-2.0
 *
 * One start of a container, from its folder to its running program. Runs in a forked child of the executor, which
 * becomes the container's monitor when all is done.
 */
#pragma once

#include <stdbool.h>

#include "cgroup.h"
#include "executor.h"
#include "plan.h"
#include "shared.h"

/* Everything one start works with. Its descriptors live until the child becomes the monitor. */
struct launch {
    struct executor *executor;
    const struct container_spec *spec;
    struct plan *plan;
    const int *layers; /* mounts, base first */
    size_t n_layers;
    const int *attachments;
    size_t n_attachments;
    int links;          /* a byte comes when the network's links are there; -1: none are waited for */
    int answer_socket;  /* of this job */
    const void *packed; /* the spec as it came, for the record */
    size_t packed_bytes;
    const struct seccomp_program *filter; /* NULL: unconfined */
    const struct seccomp_program *monitor_filter;

    struct cgroup_devices *devices; /* beside Docker's: filled in as devices are prepared, and by the spec's rules */
    struct shared shared;

    bool show_only; /* a copier's: the upper folder is only looked at */
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
    bool joins; /* a further process of a container that runs (exec.h): `spec` is the container's, with the process's
                   own part and id instead; `folder` and `logs` are this process's */
    int container_pidfd; /* the container's first process, which it joins */
    int pid;
    int pidfd;
    int64_t started_at_ns;
};

extern const struct job_kind launch_job;
/* For both: turns the answer into ContainerStarted. */
void launch_done(struct bh_request *request, const struct job_said *said);

/* ---- steps that a process which joins takes, too ---------------------------------------------------------- */

/* One standard stream as a pipe. `inside_end` is 0 or 1: the pipe's end that the container gets. */
int launch_make_pipe(struct launch *launch, int stream, int inside_end, struct bh_error *error);
/* Of the process `pid`, before its program. */
int launch_set_oom_score(const struct launch *launch, struct bh_error *error);
/* Also notes the time as its start. */
int launch_save_record(struct launch *launch, struct bh_error *error);
/* Waits for the program to be executed, or for the reason why not. */
int launch_await(int failure, struct bh_error *error);
/* Says that the program runs, and becomes its monitor. Only returns on failure. */
int launch_hand_over(struct launch *launch, int answer_socket, struct bh_error *error);
/* Everything not there yet. */
void launch_clear(struct launch *launch);
/* 3 descriptors for each attachment, taken from the request; behind them come `others`. */
int launch_take_attachments(struct bh_request *request, uint32_t attachments, size_t others,
                            int fds[static BH_MESSAGE_FDS_MAX], size_t *n_fds, struct bh_error *error);
/* The seccomp filter of a container: NULL if it is unconfined, from the cache, or `own`, which is the caller's to free.
 */
int launch_choose_filter(struct executor *executor, const struct container_spec *spec, struct seccomp_program *own,
                         const struct seccomp_program **ret_filter, struct bh_error *error);
