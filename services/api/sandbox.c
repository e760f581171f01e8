/* SPDX-License-Identifier: Apache-2.0
 *
 * What api may touch: the sockets it was handed, and nothing else. It reads every byte its tenant's clients send, so it
 * can name no file, make no connection and hold no capability.
 */
#include <sched.h>

#include "common/limits.h"
#include "service.h"

const struct bh_sandbox api_sandbox = {
    .role = BH_ROLE_API,
    .unshare = CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS,
    .root = BH_ROOT_EMPTY,
    .syscalls = {BH_SYS_BASE, BH_SYS_IO, BH_SYS_CHANNEL, BH_SYS_STREAM, BH_SYS_THREADS, BH_SYS_END},
    .also =
        {
            "newfstatat", /* what fstat(3) is: sizes and identities of log files that were handed in */
        },
    .limits =
        {
            .memory_bytes = 4 * BH_GIB, /* a thousand stacks and the arenas' reservations; most of it never touched */
            .descriptors = 16384,       /* a thousand connections, five for each that attaches */
            .processes = 1100,          /* a thread per connection, counted per uid */
        },
    .knowingly =
        {
            "threads: one per connection, so that handlers are plain blocking code",
            "memfd_create: messages larger than a datagram travel as sealed memfds",
            "no fork, no exec, no file, no socket of its own",
        },
};
