/* SPDX-License-Identifier: Apache-2.0
 *
 * What the executor may touch: it makes namespaces, mounts and id maps, so it keeps root's uid and the capabilities
 * those need, and nothing beyond them. Its mounts receive what the host mounts and show the host nothing.
 */
#include "sandbox.h"

#include <sched.h>
#include <sys/capability.h>

#include "common/limits.h"

#define CAPABILITY(name) (1ULL << CAP_##name)

#define TOP_MEMORY_BYTES (256 * BH_MIB)
#define TOP_CPU_S        10

const struct bh_sandbox executor_sandbox = {
    .role = BH_ROLE_EXECUTOR,
    .unshare = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_HOST,
    .keep_root_uid = true,
    .capabilities = CAPABILITY(SYS_ADMIN)                                         /* mounts, namespaces */
                    | CAPABILITY(SETUID) | CAPABILITY(SETGID)                     /* id maps; becoming a tenant */
                    | CAPABILITY(SETPCAP)                                         /* emptying the bounding set */
                    | CAPABILITY(CHOWN) | CAPABILITY(FOWNER) | CAPABILITY(FSETID) /* container folders; overlay */
                    | CAPABILITY(DAC_OVERRIDE) | CAPABILITY(DAC_READ_SEARCH)      /* the same, for shifted ids */
                    | CAPABILITY(SETFCAP)                                         /* overlay copies file caps up */
                    | CAPABILITY(MKNOD)                                           /* /dev/null..., whiteouts */
                    | CAPABILITY(SYS_CHROOT)                                      /* setns() to mount namespaces */
                    | CAPABILITY(KILL),                                           /* signals for containers */
    .workers = {{"top", &executor_top_sandbox}},
    .knowingly =
        {
            "seccomp: none of its own, since every container would inherit it, and with it a second, stricter filter "
            "than Docker's list; containers get theirs right before their program",
            "no_new_privs: not set, since containers inherit it and setuid programs in them would break; each "
            "container "
            "sets it as its spec says",
            "CAP_SYS_RESOURCE: left out; a hard limit above the service's own, or a lower oom_score_adj, is refused",
            "CAP_SYS_PTRACE, CAP_NET_ADMIN, CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_TIME: never needed",
            "root: the host's, since bind mounts come from there; opened with the tenant's own rights, in a child",
            "rlimits: none of its own but core, since containers inherit them",
            "top: a forked worker with procfs as its root, the monitor's uid, no capability and a filter of its own "
            "copies "
            "processes' names, which neither it nor the executor reads",
        },
};

/* Once it has given everything away: open, read, write, seal, answer. */
const struct bh_worker_sandbox executor_top_sandbox = {
    .root = BH_ROOT_PROCFS,
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL},
    .also = {"openat" /* below the procfs that is its root */},
    .memory_bytes = TOP_MEMORY_BYTES,
    .cpu_seconds = TOP_CPU_S,
};
