/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads for jobs; see jobs.h.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "common/log.h"
#include "services/engine/content.h"
#include "services/engine/events.h"
#include "services/engine/jobs.h"
#include "services/engine/live.h"
#include "services/engine/samples.h"
#include "services/engine/waiters.h"

/* A job's own frames are small (an error is 1.5 KiB); SQLite wants the most. Sanitizers blow frames up. */
#ifdef BH_SANITIZE
#define STACK_BYTES (2048UL * 1024UL)
#else
#define STACK_BYTES (256UL * 1024UL)
#endif

#define ASK_AGAIN_TIMES    6
#define ASK_AGAIN_FIRST_MS 50

struct jobs {
    struct engine *engine;
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    pthread_attr_t attributes;
    struct job *running;
    struct job *queue, **queue_tail; /* the engine's own work, waiting for room */
    unsigned n_running;
    bool closing;
};

int jobs_new(struct engine *engine, struct jobs **ret_jobs, struct bh_error *error)
{
    struct jobs *jobs = calloc(1, sizeof *jobs);
    if (!jobs) {
        return bh_error_errno(error, ENOMEM, "make the list of jobs");
    }
    jobs->engine = engine;
    jobs->queue_tail = &jobs->queue;
    (void)pthread_mutex_init(&jobs->mutex, NULL);
    (void)pthread_cond_init(&jobs->idle, NULL);
    (void)pthread_attr_init(&jobs->attributes);
    (void)pthread_attr_setdetachstate(&jobs->attributes, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&jobs->attributes, STACK_BYTES);
    *ret_jobs = jobs;
    return 0;
}

/* Called with the lock held. */
static void cancel_locked(struct job *job)
{
    job->cancelled = true;
    for (struct job_call *call = job->calls; call; call = call->next) {
        bh_call_cancel(call->call);
    }
}

static void wake_sleepers(struct engine *engine)
{
    live_wake(engine->live);
    content_wake(engine->content);
    samples_wake(engine->samples);
}

void jobs_free(struct jobs *jobs)
{
    if (!jobs) {
        return;
    }
    (void)pthread_mutex_lock(&jobs->mutex);
    jobs->closing = true;
    for (struct job *job = jobs->running; job; job = job->next) {
        cancel_locked(job);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    wake_sleepers(jobs->engine);
    (void)pthread_mutex_lock(&jobs->mutex);
    while (jobs->n_running > 0) {
        (void)pthread_cond_wait(&jobs->idle, &jobs->mutex);
    }
    struct job *queued;
    while ((queued = jobs->queue)) {
        jobs->queue = queued->next;
        free(queued);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    (void)pthread_attr_destroy(&jobs->attributes);
    (void)pthread_cond_destroy(&jobs->idle);
    (void)pthread_mutex_destroy(&jobs->mutex);
    free(jobs);
}

/* The request's client went away: on the loop. The job may be over already, and its request a waiter's or a reader's of
 * events now. */
static void on_cancel(struct bh_request *request, void *argument)
{
    struct engine *engine = argument;
    struct jobs *jobs = engine->jobs;
    (void)pthread_mutex_lock(&jobs->mutex);
    for (struct job *job = jobs->running; job; job = job->next) {
        if (job->request == request && !job->shielded) {
            cancel_locked(job);
        }
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    wake_sleepers(engine);
    waiters_drop(engine->waiters, request);
    events_drop(engine->events, request);
}

static void *thread_main(void *argument);

/* Called with the lock held; takes the job in any case. */
static int launch_locked(struct jobs *jobs, struct job *job, struct bh_error *error)
{
    pthread_t thread;
    job->next = jobs->running;
    jobs->running = job;
    jobs->n_running++;
    int result = pthread_create(&thread, &jobs->attributes, thread_main, job);
    if (result != 0) {
        jobs->running = job->next;
        jobs->n_running--;
        free(job);
        return bh_error_errno(error, result, "start a thread for a request");
    }
    return 0;
}

static void finish(struct jobs *jobs, struct job *job)
{
    struct bh_error error;
    (void)pthread_mutex_lock(&jobs->mutex);
    for (struct job **link = &jobs->running; *link; link = &(*link)->next) {
        if (*link == job) {
            *link = job->next;
            break;
        }
    }
    jobs->n_running--;
    while (jobs->queue && jobs->n_running < JOBS_MAX && !jobs->closing) {
        struct job *queued = jobs->queue;
        jobs->queue = queued->next;
        if (!jobs->queue) {
            jobs->queue_tail = &jobs->queue;
        }
        if (launch_locked(jobs, queued, &error) < 0) {
            bh_log_failure(BH_LOG_ERROR, &error, "work of the engine's own is lost");
        }
    }
    if (jobs->n_running == 0) {
        (void)pthread_cond_broadcast(&jobs->idle);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
}

static void *thread_main(void *argument)
{
    struct job *job = argument;
    struct jobs *jobs = job->engine->jobs;
    struct bh_error error = {0};
    bh_log_set_trace(job->trace);
    int result = job->run(job, &error);
    if (result < 0 && job->request) {
        (void)bh_request_fail(job->request, &error);
    } else if (result < 0 && error.code != BH_CANCELLED) {
        bh_log_failure(BH_LOG_WARNING, &error, "work of the engine's own failed");
    }
    struct bh_request *request = job->request;
    finish(jobs, job);
    bh_request_unref(request);
    free(job);
    return NULL;
}

static struct job *job_new(struct jobs *jobs, job_run run, struct bh_error *error)
{
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        (void)bh_error_errno(error, ENOMEM, "take on a request");
        return NULL;
    }
    job->engine = jobs->engine;
    job->run = run;
    return job;
}

/* Called with the lock held. */
static int check_room(const struct jobs *jobs, uint32_t tenant_uid, struct bh_error *error)
{
    unsigned of_tenant = 0;
    for (const struct job *job = jobs->running; job; job = job->next) {
        of_tenant += job->request && job->tenant_uid == tenant_uid;
    }
    if (of_tenant >= JOBS_TENANT_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "too many requests at once for this tenant: at most %d run at a time", JOBS_TENANT_MAX);
    }
    if ((jobs->n_running >= JOBS_MAX && of_tenant >= JOBS_KEPT) || jobs->closing) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many requests at once: at most %d run at a time",
                            JOBS_MAX);
    }
    return 0;
}

void jobs_serve(struct jobs *jobs, struct bh_request *request, uint32_t tenant_uid, job_run run)
{
    struct bh_error error = {0};
    struct job *job = job_new(jobs, run, &error);
    if (!job) {
        (void)bh_request_fail(request, &error);
        return;
    }
    job->tenant_uid = tenant_uid;
    job->trace = bh_request_trace(request);
    job->request = bh_request_ref(request);
    bh_request_on_cancel(request, on_cancel, jobs->engine);

    (void)pthread_mutex_lock(&jobs->mutex);
    int result = check_room(jobs, tenant_uid, &error);
    if (result < 0) {
        free(job);
    } else {
        result = launch_locked(jobs, job, &error);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    if (result < 0) {
        (void)bh_request_fail(request, &error);
        bh_request_unref(request);
    }
}

int jobs_start(struct jobs *jobs, job_run run, void *argument, struct bh_error *error)
{
    struct job *job = job_new(jobs, run, error);
    if (!job) {
        return -1;
    }
    job->argument = argument;
    job->trace = bh_log_trace();
    int result = 0;
    (void)pthread_mutex_lock(&jobs->mutex);
    if (jobs->closing) {
        free(job);
        result = bh_error_set(error, BH_UNAVAILABLE, "the engine is stopping");
    } else if (jobs->n_running >= JOBS_MAX) {
        *jobs->queue_tail = job;
        jobs->queue_tail = &job->next;
    } else {
        result = launch_locked(jobs, job, error);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    return result;
}

bool job_cancelled(struct job *job)
{
    struct jobs *jobs = job->engine->jobs;
    (void)pthread_mutex_lock(&jobs->mutex);
    bool closing = jobs->closing, cancelled = job->cancelled, shielded = job->shielded;
    (void)pthread_mutex_unlock(&jobs->mutex);
    return closing || (!shielded && (cancelled || (job->request && bh_request_cancelled(job->request))));
}

void job_shield(struct job *job)
{
    struct jobs *jobs = job->engine->jobs;
    (void)pthread_mutex_lock(&jobs->mutex);
    job->shielded = true;
    (void)pthread_mutex_unlock(&jobs->mutex);
}

unsigned job_begin_transfer(struct job *job)
{
    struct jobs *jobs = job->engine->jobs;
    unsigned others = 0;
    (void)pthread_mutex_lock(&jobs->mutex);
    for (const struct job *other = jobs->running; other; other = other->next) {
        others += other != job && other->transfers && other->tenant_uid == job->tenant_uid;
    }
    job->transfers = true;
    (void)pthread_mutex_unlock(&jobs->mutex);
    return others;
}

void job_cancel_calls(struct job *job)
{
    struct jobs *jobs = job->engine->jobs;
    (void)pthread_mutex_lock(&jobs->mutex);
    for (struct job_call *call = job->calls; call; call = call->next) {
        bh_call_cancel(call->call);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
}

int job_check(struct job *job, struct bh_error *error)
{
    return job_cancelled(job) ? bh_error_set(error, BH_CANCELLED, "the request was cancelled by its client") : 0;
}

const void *job_body(const struct job *job)
{
    return bh_request_body(job->request);
}

/* ---- calling peers ------------------------------------------------------------------------------ */

int job_call_start(struct job *job, struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
                   uint32_t deadline_ms, struct job_call *ret_call, struct bh_error *error)
{
    struct jobs *jobs = job->engine->jobs;
    *ret_call = (struct job_call){.job = job};
    if (job_check(job, error) < 0 ||
        bh_call_start(channel, packet, fds, n_fds, deadline_ms, &ret_call->call, error) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&jobs->mutex);
    ret_call->next = job->calls;
    job->calls = ret_call;
    if (jobs->closing || (job->cancelled && !job->shielded)) {
        bh_call_cancel(ret_call->call);
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    return 0;
}

int job_call_next(struct job_call *call, struct bh_message **ret_message, struct bh_error *error)
{
    return bh_call_next(call->call, ret_message, error);
}

void job_call_end(struct job_call *call)
{
    if (!call->call) {
        return;
    }
    struct jobs *jobs = call->job->engine->jobs;
    (void)pthread_mutex_lock(&jobs->mutex);
    for (struct job_call **link = &call->job->calls; *link; link = &(*link)->next) {
        if (*link == call) {
            *link = call->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&jobs->mutex);
    bh_call_free(call->call);
    call->call = NULL;
}

int job_ask(struct job *job, struct bh_channel *channel, ProtobufCMessage *packet, const int *fds, size_t n_fds,
            uint32_t deadline_ms, uint32_t reply_kind, struct bh_message **ret_message, struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    bh_automessage struct bh_message *message = NULL;
    if (job_call_start(job, channel, packet, fds, n_fds, deadline_ms, &call, error) < 0 ||
        job_call_next(&call, &message, error) < 0) {
        return -1;
    }
    if (message->kind != reply_kind) {
        return bh_error_set(error, BH_INTERNAL, "a peer answered %u where %u was expected", message->kind, reply_kind);
    }
    if (ret_message) {
        *ret_message = bh_steal_pointer(&message);
    }
    return 0;
}

int job_ask_again(struct job *job, struct bh_channel *channel, ProtobufCMessage *packet, uint32_t reply_kind,
                  struct bh_message **ret_message, struct bh_error *error)
{
    int pause_ms = ASK_AGAIN_FIRST_MS;
    for (int attempt = 1;; attempt++) {
        if (job_ask(job, channel, packet, NULL, 0, 0, reply_kind, ret_message, error) == 0) {
            return 0;
        }
        if (error->code != BH_UNAVAILABLE || attempt == ASK_AGAIN_TIMES || job_cancelled(job)) {
            return -1;
        }
        (void)poll(NULL, 0, pause_ms); /* its restart is the supervisor's, and takes a few of these */
        pause_ms *= 2;
        bh_error_clear(error);
    }
}

/* ---- answers ------------------------------------------------------------------------------------ */

int job_reply(struct job *job, Bulkhead__EngineToApi *packet)
{
    return bh_request_reply(job->request, &packet->base, NULL, 0);
}

int job_more(struct job *job, Bulkhead__EngineToApi *packet)
{
    return bh_request_progress(job->request, &packet->base, NULL, 0);
}

int job_reply_done(struct job *job)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_DONE;
    packet.done = &done;
    (void)job_reply(job, &packet);
    return 0;
}

int job_reply_unchanged(struct job *job)
{
    Bulkhead__Unchanged unchanged = BULKHEAD__UNCHANGED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_UNCHANGED;
    packet.unchanged = &unchanged;
    (void)job_reply(job, &packet);
    return 0;
}
