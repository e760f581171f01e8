/* SPDX-License-Identifier: Apache-2.0
 *
 * All that the extractor and its workers may do. The parent only forks; a worker reads one blob, computes, and writes
 * to the descriptors it was handed. There is no file it could name and no program it could start.
 */
#include <sched.h>

#include "bounds.h"
#include "service.h"

const struct bh_sandbox extractor_sandbox = {
    .role = BH_ROLE_EXTRACTOR,
    .unshare = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_EMPTY,
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FORK_WORKER, BH_SYS_THREADS},
    .also = {"pread64", "pwrite64"}, /* a spool is read by ranges; an image's superblock is written last */
    .limits = {.memory_bytes = EXTRACTOR_MEMORY_BYTES,
               .file_bytes = EXTRACTOR_FILE_BYTES,
               .descriptors = 128,
               .processes = 512},
    .workers = {{"extract", &extractor_worker_sandbox}},
    .knowingly = {"no open, no execve: every decoder is linked in, and no name in an archive becomes a path",
                  "threads: a worker decompresses, hashes and writes at the same time",
                  "one worker per blob: what takes it over gets that blob's own image file and nothing else"},
};

const struct bh_worker_sandbox extractor_worker_sandbox = {
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_THREADS},
    .also = {"pread64", "pwrite64"},
    .memory_bytes = EXTRACTOR_MEMORY_BYTES,
    .cpu_seconds = 3600,
    .file_bytes = EXTRACTOR_FILE_BYTES,
};
