/* SPDX-License-Identifier: Apache-2.0
 *
 * Closes descriptors elsewhere. The last close of a netfilter socket waits until the kernel has dealt with everything
 * that is to be freed in nftables, for 10 ms and more; netd, which serves everybody, must not wait for that. A worker
 * without capabilities does, one for all.
 */
#pragma once

#include <sys/types.h>

struct bh_service_context;

struct closer {
    struct bh_service_context *context;
    int socket; /* -1: it does not run */
    pid_t pid;
};

/* Closes the descriptor, which is -1 afterwards. Without the worker, should there be no other way. */
void closer_close(struct closer *closer, int *fd);
/* The worker ends with what it has. */
void closer_stop(struct closer *closer);
