/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's own table: root, with only the capabilities that spawning sandboxed children needs.
 */
#include "sandbox.h"

#include <sys/capability.h>

#define HOLD(capability) (1ULL << (capability))

const struct bh_sandbox supervisor_sandbox = {
    .role = BH_ROLE_SUPERVISOR,
    .root = BH_ROOT_HOST,
    .keep_root_uid = true,
    .capabilities = HOLD(CAP_SYS_ADMIN) /* children: namespaces and mounts of their sandboxes; executor */
                    | HOLD(CAP_SETUID) | HOLD(CAP_SETGID) | HOLD(CAP_SETPCAP)     /* children: ids, bounding set */
                    | HOLD(CAP_SETFCAP)                                           /* executor: id maps that hold 0 */
                    | HOLD(CAP_CHOWN) | HOLD(CAP_FOWNER) | HOLD(CAP_DAC_OVERRIDE) /* state folders; executor */
                    | HOLD(CAP_DAC_READ_SEARCH) | HOLD(CAP_MKNOD) | HOLD(CAP_SYS_CHROOT) /* executor */
                    | HOLD(CAP_KILL)         /* ends helpers, which have uids of their own */
                    | HOLD(CAP_SYS_PTRACE)   /* reads /proc of non-dumpable helpers for `privileges` */
                    | HOLD(CAP_NET_ADMIN)    /* socket buffers beyond the system's default */
                    | HOLD(CAP_SYS_RESOURCE) /* executor: rlimits and oom scores of containers */
                    | HOLD(CAP_FSETID) | HOLD(CAP_BPF) | HOLD(CAP_NET_BIND_SERVICE) | HOLD(CAP_AUDIT_WRITE),
    .limits = {.descriptors = 4096},
    .knowingly =
        {
            "no seccomp filter: children inherit it, and the executor's containers would inherit it through them",
            "host root: it opens the state folders and the helpers' programs by path",
        },
};
