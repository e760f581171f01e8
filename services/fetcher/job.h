/* SPDX-License-Identifier: Apache-2.0
 *
 * One worker's life: a session, the engine's requests, and the loop that serves both. Runs in the forked process;
 * service.c's job table hands requests to it.
 */
#pragma once

#include <sys/queue.h>

#include "common/service.h"
#include "exchange.h"
#include "session.h"

#define JOB_OPERATIONS_MAX 128 /* requests in flight; an image has at most 127 layers */

/* A request of the engine's that takes its time. Embedded first in the features' own structs. */
struct operation {
    TAILQ_ENTRY(operation) next;
    struct job *job;
    struct bh_request *request; /* a reference */
    struct exchange *exchange;
    int waiting_fd; /* a full pipe: go on when it has room; -1: not waiting */
    void (*free)(struct operation *operation);
};
TAILQ_HEAD(operation_list, operation);

struct job {
    struct session session;
    struct operation_list operations;
    size_t n_operations;
};

/* Makes `operation` one of the job's, with a reference to `request`. RESOURCE_EXHAUSTED if there are too many. */
int operation_begin(struct operation *operation, struct job *job, struct bh_request *request, struct bh_error *error);
/* Ends it: answers with `error` if that is set, releases the request, frees the operation. The exchange is gone
 * already. */
void operation_end(struct operation *operation, const struct bh_error *error);

/* Serves `job_fd` with `protocol` until the engine hangs up. Takes both descriptors. Returns the exit status. */
int job_run(struct bh_service_context *context, const struct bh_protocol *protocol, int job_fd, int dialer_fd);
