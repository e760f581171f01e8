/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fetcher and its workers may touch: no network of their own, and no file but the certificates that TLS
 * trusts.
 */
#include "sandbox.h"

#include <sched.h>

#include "certs.h"
#include "common/limits.h"

const struct bh_sandbox fetcher_sandbox = {
    .role = BH_ROLE_FETCHER,
    .unshare = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_EMPTY,
    .views =
        {
            {.host = CERTS_BUNDLE, .inside = CERTS_BUNDLE, .optional = true},
            {.folder = BH_FOLDER_CERTS, .inside = CERTS_FOLDER, .optional = true},
        },
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FORK_WORKER, BH_SYS_FILES_READ, BH_SYS_STREAM},
    .limits = {.memory_bytes = 512 * BH_MIB, .file_bytes = 1 * BH_MIB, .descriptors = 1024, .processes = 256},
    .workers = {{"fetch", &fetcher_worker_sandbox}},
    .knowingly =
        {
            "socket, connect: left out; connected sockets come from the dialer, one question at a time",
            "setsockopt: on those sockets, for TCP_NODELAY",
            "files: the CA bundle and certs.d, which a worker opens when a registry speaks TLS",
        },
};

const struct bh_worker_sandbox fetcher_worker_sandbox = {
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FILES_READ, BH_SYS_STREAM},
    .memory_bytes = 256 * BH_MIB,
    .cpu_seconds = 3600,
    .file_bytes = 1 * BH_MIB,
};
