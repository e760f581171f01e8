/* SPDX-License-Identifier: Apache-2.0
 *
 * What policyd may touch: its own folder (audit log, id ranges), and the rule files through the one descriptor it was
 * handed.
 */
#include "sandbox.h"

#include <sched.h>

#include "common/limits.h"

const struct bh_sandbox policyd_sandbox = {
    .role = BH_ROLE_POLICYD,
    .unshare = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_FOLDER,
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_THREADS, BH_SYS_FILES},
    .limits = {.memory_bytes = 512 * BH_MIB, .file_bytes = 64 * BH_GIB, .descriptors = 4096, .processes = 256},
    .knowingly =
        {
            "policy.d: read through its descriptor, so that RELOAD works; root owns it, and policyd cannot write there",
            "threads: one walks the audit log, one makes it durable; neither keeps a start waiting",
            "processes: a bound for all processes of policyd's uid, which every engine on the host has one of",
        },
};
