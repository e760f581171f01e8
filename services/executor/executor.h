/* SPDX-License-Identifier: Apache-2.0
 *
 * What the executor holds for its whole life: folders, namespaces, and caches. One per process; forked children inherit
 * a copy. Everything lasting about a container lies in its folder, so that a restarted executor misses nothing.
 */
#pragma once

#include <stdint.h>

#include "cgroup.h"
#include "common/service.h"
#include "job.h"
#include "layers.h"
#include "container_seccomp.h"
#include "tmpfs_volumes.h"
#include "userns.h"

/* Namespaces the executor left at its start but may hand to a container that policy allows them. */
struct executor_host {
    int net, ipc, uts;
};

/* The namespaces every monitor lives in: nothing to see, nothing to reach. */
struct executor_monitors {
    int mount, net, ipc, uts;
    int program; /* bulkhead-monitor, opened once */
    int init;    /* bulkhead-init, for containers with --init */
    int null;    /* /dev/null, read and write */
};

/* What was handed over, opened again in the executor's own mount namespace. */
struct executor_folders {
    int layers, containers, logs, volumes;
};

struct executor {
    struct bh_service_context *context;
    struct executor_folders folders;
    struct executor_host host;
    struct executor_monitors monitors;
    struct cgroups cgroups;
    struct layer_cache layers;
    struct userns_cache userns;
    struct seccomp_cache seccomp;
    struct tmpfs_volumes tmpfs_volumes;
    struct jobs jobs;
    int empty;          /* a detached, empty, read-only tmpfs: masks folders, stands in for no layers */
    int copier_program; /* bulkhead-copier, opened once */
    uint8_t boot_id[16];
    uint64_t program_device, program_inode; /* the executor's own program, which no container may execute */
};
