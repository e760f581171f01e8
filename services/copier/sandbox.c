/* SPDX-License-Identifier: Apache-2.0
 *
 * All that a copier may do. Its capabilities are those of the container's user namespace: over the container's own
 * files, and over nothing of the host's.
 */
#include "sandbox.h"

#include <linux/capability.h>

#include "common/limits.h"

#define BIT(capability) (1ULL << (capability))

/* Names of the largest directory are sorted in memory, and hard links remembered: a few million of both. */
#define MEMORY_BYTES (512 * BH_MIB)

const struct bh_sandbox copier_sandbox = {
    .role = BH_ROLE_COPIER,
    .root = BH_ROOT_CONTAINER,
    .keep_root_uid = true,
    .capabilities = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_SETFCAP),
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FILES},
    .also = {"fchownat", "fchown", /* owners are part of what is copied */
             "symlinkat", "mknodat" /* FIFOs; devices the kernel refuses in a user namespace */},
    .limits = {.memory_bytes = MEMORY_BYTES, .file_bytes = BH_LAYER_BYTES_MAX, .descriptors = 4096, .processes = 1},
    .knowingly = {"uid: the container's root, in its user namespace; the capabilities count there and nowhere else",
                  "root: the container's own mount namespace, or one assembled of the same mounts; never the host's",
                  "one that only reads (cp out, export, diff, commit, sizes) has DAC_READ_SEARCH alone, fewer system "
                  "calls, and all its mounts read-only",
                  "paths: resolved by the kernel below the container's root, magic links refused, once",
                  "left out: every way to execute, to trace, to mount, to signal, to make a socket or a process"},
};

const struct bh_sandbox copier_reader_sandbox = {
    .role = BH_ROLE_COPIER,
    .root = BH_ROOT_CONTAINER,
    .keep_root_uid = true,
    .capabilities = BIT(CAP_DAC_READ_SEARCH),
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_FILES_READ},
    .also = {"fgetxattr", "flistxattr"},
    .limits = {.memory_bytes = MEMORY_BYTES, .descriptors = 4096, .processes = 1},
};
