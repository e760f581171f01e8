/* SPDX-License-Identifier: Apache-2.0
 *
 * The store's sandbox: it sees its own folder and nothing else, has no capability and no network, and executes nothing.
 * Its workers cannot even name a file.
 */
#include "sandbox.h"

#include <sched.h>

#include "common/limits.h"
#include "erofs_check.h"

const struct bh_sandbox store_sandbox = {
    .role = BH_ROLE_STORE,
    .unshare = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_FOLDER,
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FORK_WORKER, BH_SYS_FILES},
    .limits = {.memory_bytes = 512 * BH_MIB,
               .file_bytes = EROFS_IMAGE_BYTES_MAX,
               .descriptors = 4096,
               .processes = 128,
               .core_bytes = 0},
    .workers = {{"store-intake", &store_intake_sandbox}, {"store-seal", &store_seal_sandbox}},
    .knowingly = {"files: content is what the store is for; its root is its own folder, nosuid, nodev and noexec",
                  "fcntl: a read lease (F_SETLEASE) on its own files proves that nobody holds a layer open for writing",
                  "left out: every way to execute, to trace, to mount, to make a network socket"},
};

/* What both kinds of worker do with the descriptors they were given. */
#define WORKER_SYSCALLS "read", "write", "pread64", "close", "fsync", "sync_file_range", "sendto", "recvfrom", "lseek"

const struct bh_worker_sandbox store_intake_sandbox = {
    .syscalls = {BH_SYS_BASE},
    .also = {WORKER_SYSCALLS, "ppoll" /* the pipes, and the end of its job */},
    .memory_bytes = 256 * BH_MIB,
    .file_bytes = BH_LAYER_BYTES_MAX, /* a spool holds a whole archive */
};

const struct bh_worker_sandbox store_seal_sandbox = {
    .syscalls = {BH_SYS_BASE},
    .also = {WORKER_SYSCALLS},
    .memory_bytes = 384 * BH_MIB, /* 8 bytes for each of four million inodes, and windows */
    .cpu_seconds = 600,           /* the largest image takes seconds */
    .file_bytes = 4096,           /* the record beside the layer */
};
