/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine's sandbox: its database's folder, its channels, and threads. No capability, no network, nothing to
 * execute.
 */
#include <sched.h>

#include "common/limits.h"
#include "services/engine/service.h"

const struct bh_sandbox engine_sandbox = {
    .role = BH_ROLE_ENGINE,
    .unshare = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_FOLDER,
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_THREADS, BH_SYS_FILES, BH_SYS_SQLITE},
    .also = {"setsockopt" /* buffers of the job channels it gives to workers */},
    .limits = {.memory_bytes = 2 * BH_GIB, /* address space: stacks of a few hundred threads; little of it is touched */
               .file_bytes = 4 * BH_GIB,   /* the database */
               .descriptors = 65536,       /* a monitor a container, three pipes a waiting client */
               .processes = 2048,          /* threads: JOBS_MAX, and LAYERS_AT_ONCE for each pull */
               .core_bytes = 0},
    .knowingly = {"files: the database is what the engine is for; its root is its own folder, nosuid, nodev and noexec",
                  "descriptors of layers, logs, streams and archives pass through it; it reads none of them, and "
                  "writes only what it makes from types: image configs, manifests, the headers of an archive",
                  "left out: every way to execute, to trace, to mount, to signal others, to make a network socket"},
};
