/* SPDX-License-Identifier: Apache-2.0
 *
 * What the dialer and its workers may touch: the host's network as any unprivileged process may use it, and the three
 * files that say how names are resolved.
 */
#include "sandbox.h"

#include <sched.h>

#include "common/limits.h"

const struct bh_sandbox dialer_sandbox = {
    .role = BH_ROLE_DIALER,
    .unshare = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_EMPTY,
    .views =
        {
            {.host = "/etc/resolv.conf", .inside = "/etc/resolv.conf", .optional = true},
            {.host = "/etc/hosts", .inside = "/etc/hosts", .optional = true},
            {.host = "/etc/nsswitch.conf", .inside = "/etc/nsswitch.conf", .optional = true},
        },
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FORK_WORKER, BH_SYS_FILES_READ, BH_SYS_NETWORK,
                 BH_SYS_STREAM},
    .limits = {.memory_bytes = 256 * BH_MIB, .file_bytes = 1 * BH_MIB, .descriptors = 256, .processes = 256},
    .workers = {{"dial", &dialer_worker_sandbox}},
    .knowingly =
        {
            "network: shares the host's network namespace, since connecting to registries is what it is for",
            "files: resolv.conf, hosts and nsswitch.conf as they were when it started; it is restarted to see others",
            "name service: glibc's own files and dns only; the empty root holds no NSS module to load",
        },
};

const struct bh_worker_sandbox dialer_worker_sandbox = {
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FILES_READ, BH_SYS_NETWORK, BH_SYS_STREAM},
    .memory_bytes = 128 * BH_MIB,
    .cpu_seconds = 600,
    .file_bytes = 1 * BH_MIB,
};
