/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: every request that may have to wait is linear code on a thread of its own, so that features read from top to
 * bottom. Bounded over all (JOBS_MAX) and per tenant (JOBS_TENANT_MAX), so that one tenant cannot take the others'
 * turn, nor can several together: up to JOBS_KEPT a tenant gets whatever the others do. Beyond that a request is
 * refused RESOURCE_EXHAUSTED, and the engine's own work waits in a queue. A job whose client goes away is cancelled:
 * the calls it waits for end CANCELLED, and job_cancelled() says so.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "api_engine.pb-c.h"
#include "common/channel.h"
#include "common/cleanup.h"
#include "services/engine/engine.h"

#define JOBS_MAX        256
#define JOBS_TENANT_MAX 128
#define JOBS_KEPT       8 /* for each tenant, beyond JOBS_MAX */

struct job_call;

struct job {
    struct engine *engine;
    uint32_t tenant_uid;
    struct bh_request *request; /* NULL for the engine's own work */
    void *argument;             /* of the engine's own work */
    /* jobs.c's own */
    struct job *next;
    int (*run)(struct job *job, struct bh_error *error);
    uint64_t trace;
    bool cancelled, shielded, transfers;
    struct job_call *calls;
};

/* Does the work and, if it was asked for by a request, answers it. What it returns -1 with becomes the answer. */
typedef int (*job_run)(struct job *job, struct bh_error *error);

int jobs_new(struct engine *engine, struct jobs **ret_jobs, struct bh_error *error);
/* Cancels everything and waits until the last job is gone. */
void jobs_free(struct jobs *jobs);

/* On the loop: gives the request to a job, or refuses it. */
void jobs_serve(struct jobs *jobs, struct bh_request *request, uint32_t tenant_uid, job_run run);
/* The engine's own work, from any thread. Runs now or when there is room; its failure is logged as `what`'s. Takes
 * nothing: `argument` is the job's to free. */
int jobs_start(struct jobs *jobs, job_run run, void *argument, struct bh_error *error);

bool job_cancelled(struct job *job);
/* From here on the work is finished even if its client goes away: half of a start or removal would be worse than all of
 * it. */
void job_shield(struct job *job);
/* The job is a pull or a push from now on. Returns how many others of its tenant are under way. */
unsigned job_begin_transfer(struct job *job);
/* Ends the job's calls under way CANCELLED: one of its threads has failed, and the others work in vain. */
void job_cancel_calls(struct job *job);
/* CANCELLED if the job's client has gone away. */
int job_check(struct job *job, struct bh_error *error);
/* What a job's request says: its body. */
const void *job_body(const struct job *job);

/* ---- calling peers ------------------------------------------------------------------------------ */

/* One call of a job; ended with its scope. Several of one job may be under way, on several threads. */
struct job_call {
    struct job *job;
    struct bh_call *call;
    struct job_call *next;
};
int job_call_start(struct job *job, struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
                   uint32_t deadline_ms, struct job_call *ret_call, struct bh_error *error);
int job_call_next(struct job_call *call, struct bh_message **ret_message, struct bh_error *error);
void job_call_end(struct job_call *call);
#define job_call_auto bh_cleanup(job_call_end)

/* One question, one answer of `reply_kind`. */
int job_ask(struct job *job, struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
            uint32_t deadline_ms, uint32_t reply_kind, struct bh_message **ret_message, struct bh_error *error);
/* The same for a question that may be put twice: while the peer is being restarted, it is asked again (for up to about
 * two seconds). */
int job_ask_again(struct job *job, struct bh_channel *channel, ProtobufCMessage *packet, uint32_t reply_kind,
                  struct bh_message **ret_message, struct bh_error *error);

/* ---- answers ------------------------------------------------------------------------------------ */

/* Each fills in the packet around one body. */
int job_reply(struct job *job, Bulkhead__EngineToApi *packet);
int job_more(struct job *job, Bulkhead__EngineToApi *packet);
int job_reply_done(struct job *job);
int job_reply_unchanged(struct job *job);
