/* SPDX-License-Identifier: Apache-2.0
 *
 * Things a sandboxed process must not be able to do, as small functions that try them. Each returns 0 if the attempt
 * succeeded and the errno if it was refused, undoes what it did, and succeeds when root tries it without a sandbox.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* What the attempts aim at, prepared outside. */
struct targets {
    char file[64];   /* a host file that root can read and write */
    char folder[64]; /* a host folder to mount on */
    pid_t victim;    /* a process of another uid, as another helper is */
    int victim_proc; /* O_PATH descriptor of its /proc folder, as a leaked one would be */
    int victim_net;  /* its network namespace, likewise */
};

struct attempt {
    const char *name;
    int (*try)(const struct targets *targets);
    bool needs_network; /* allowed to those whose table has BH_SYS_NETWORK */
    bool needs_fork;    /* allowed to those that fork workers or start threads */
    bool needs_netlink; /* allowed to those whose table has BH_SYS_NETLINK */
};

/* Ends with a row without a name. */
extern const struct attempt attempts[];
