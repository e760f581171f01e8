/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of common/service: what service.c (order of things) and worker.c (forked workers) share. One per process.
 */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include "common/service.h"

#define BH_EARLY_MAX 64

struct bh_child {
    TAILQ_ENTRY(bh_child) next;
    pid_t pid;
    const char *name;
    uint64_t trace;
    void (*on_exit)(struct bh_service_context *context, pid_t pid, int status, void *argument);
    void *argument;
};

struct bh_service_internal {
    struct bh_service_context context; /* first: a context pointer is an internal pointer */
    struct bh_channel *channels[BH_ROLE_COUNT];
    bool wired[BH_ROLE_COUNT];
    struct {
        struct bh_control record;
        int fd;
    } early[BH_EARLY_MAX];
    size_t n_early;
    struct event *child_signal;
    TAILQ_HEAD(, bh_child) children;
};

struct bh_service_internal *bh_service_current(void);

/* worker.c: reaps children on the loop. */
int bh_service_watch_children(struct bh_service_internal *internal, struct bh_error *error);
