/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that may take long or may hang (a mount of somebody's network file system, a removal) runs in a forked
 * child that answers once over a socketpair, so that the executor itself always listens. The answer is one fixed-size
 * record.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/channel.h"
#include "common/error.h"

struct executor;

/* What a job says, once. */
struct job_answer {
    struct bh_error error; /* code BH_OK: it worked */
    int32_t pid;           /* StartContainer: the container's first process */
    int64_t started_at_ns;
    uint64_t numbers[2]; /* of a measurement */
};

struct job;
struct jobs {
    LIST_HEAD(, job) list;
    size_t n;
};

struct job_kind {
    const char *name;
    /* In the child: does the work, says how it went with job_answer() (may go on afterwards, as a start becomes a
     * monitor), returns the exit status. `argument` and the request's message are copies of its own. */
    int (*work)(struct executor *executor, void *argument, int answer_socket);
    /* In the executor: turns a good answer into a reply. `fd` is what came with it, or -1; borrowed. */
    void (*done)(struct bh_request *request, const struct job_answer *answer, int fd);
};

/* Forks. Only one job at a time works on a container (`id`, 32 bytes): else FAILED_PRECONDITION. */
int job_start(struct executor *executor, const struct job_kind *kind, const uint8_t id[static 32], void *argument,
              struct bh_request *request, struct bh_error *error);
/* The same, unless that tenant has `most` jobs already, each of which something in a container may hold up:
 * RESOURCE_EXHAUSTED. */
int job_start_bounded(struct executor *executor, const struct job_kind *kind, const uint8_t id[static 32],
                      uint32_t tenant_uid, size_t most, void *argument, struct bh_request *request,
                      struct bh_error *error);
/* In the child. `fd` may be -1. */
void job_answer(int answer_socket, const struct job_answer *answer, int fd);
/* Takes one from the other end, without waiting. Returns 1 for a whole answer, 0 if there is none. */
int job_receive(int socket, struct job_answer *ret_answer, int *ret_fd);
bool job_is_running(const struct executor *executor, const uint8_t id[static 32]);
/* Forgets them all; the children go on by themselves. */
void jobs_free(struct jobs *jobs);
