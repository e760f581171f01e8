/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything that may take long or may hang (a mount of somebody's network file system, a removal) runs in a forked
 * child that answers once over a socketpair, so that the executor itself always listens. The answer is one fixed-size
 * record; before it the child may hand out descriptors.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/channel.h"
#include "common/error.h"

struct executor;

#define JOB_FDS_MAX 8 /* beside one record */

/* What a job says: once, and before that as often as it likes with `more`. */
struct job_answer {
    struct bh_error error; /* code BH_OK: it worked */
    bool more;             /* progress: only descriptors count */
    int32_t pid;           /* StartContainer: the container's first process */
    int64_t started_at_ns;
    uint64_t numbers[2]; /* of a measurement */
};

/* One record of a job's and what came with it; borrowed by whoever is shown it. */
struct job_said {
    struct job_answer answer;
    int fds[JOB_FDS_MAX];
    size_t n_fds;
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
    /* In the executor: turns a good answer into a reply. */
    void (*done)(struct bh_request *request, const struct job_said *said);
    /* In the executor: the same for what job_progress() says before the answer. NULL: nothing is said. */
    void (*progress)(struct bh_request *request, const struct job_said *said);
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
/* The same with up to JOB_FDS_MAX of them. */
void job_answer_with(int answer_socket, const struct job_answer *answer, const int *fds, size_t n_fds);
/* In the child: hands descriptors out and goes on. */
void job_progress(int answer_socket, const int *fds, size_t n_fds);
/* Takes one record from the other end, without waiting. Returns 1 for a whole one, 0 if there is none. */
int job_receive(int socket, struct job_said *ret_said);
void job_said_close(struct job_said *said);
bool job_is_running(const struct executor *executor, const uint8_t id[static 32]);
/* Forgets them all; the children go on by themselves. */
void jobs_free(struct jobs *jobs);
