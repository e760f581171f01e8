/* SPDX-License-Identifier: Apache-2.0
 *
 * How often netd has been started since policyd was, and who waits for the next time (AwaitNetd): a netd that was
 * started anew knows no network and no container.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>

#include "common/channel.h"

struct netd_waiter;
struct netd_watch {
    uint64_t generation;
    LIST_HEAD(, netd_waiter) waiters;
};

/* netd was wired for the first time, or again. Answers everybody who waits. */
void netd_watch_started(struct netd_watch *watch);
/* AwaitNetd. */
void netd_watch_handle(struct bh_request *request);
