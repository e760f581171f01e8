/* SPDX-License-Identifier: Apache-2.0
 *
 * How the launcher becomes the container's monitor: common/monitor_start.h from the executor's side.
 */
#pragma once

#include "launch.h"

/* Makes the namespaces monitors live in, and opens their program. Once, when the executor starts. */
int monitors_prepare(struct executor *executor, int libexec, struct bh_error *error);

/* Makes the listening socket in the container's folder, and a first connection; *ret_first is the engine's end. */
int monitor_sockets(const struct launch *launch, int *ret_listen, int *ret_monitor_end, int *ret_first,
                    struct bh_error *error);

/* Drops every privilege and executes the monitor. Only returns on failure. `descriptors` are its BH_MONITOR_FD_START
 * + 1..., in order. */
int monitor_become(const struct launch *launch, int start, const int *descriptors, size_t n_descriptors,
                   struct bh_error *error);

/* Connects to the host's journal if the container logs there. FAILED_PRECONDITION if there is none. */
int monitor_open_journal(const struct container_spec *spec, int *ret_fd, struct bh_error *error);

/* The sealed start record. */
int monitor_make_start(const struct launch *launch, uint32_t oom_version, int *ret_fd, struct bh_error *error);
