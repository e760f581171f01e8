/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker's loop: the engine's channel, libcurl's sockets, full pipes and timers in one poll; see job.h.
 */
#include "job.h"

#include <poll.h>

#include "common/cleanup.h"
#include "common/log.h"

#define WAIT_MAX_MS 500 /* how late a passed deadline may be noticed */

int operation_begin(struct operation *operation, struct job *job, struct bh_request *request, struct bh_error *error)
{
    if (job->n_operations == JOB_OPERATIONS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "more than %d requests at once", JOB_OPERATIONS_MAX);
    }
    operation->job = job;
    operation->request = bh_request_ref(request);
    operation->waiting_fd = -1;
    TAILQ_INSERT_TAIL(&job->operations, operation, next);
    job->n_operations++;
    return 0;
}

void operation_end(struct operation *operation, const struct bh_error *error)
{
    if (error) {
        bh_log_set_trace(bh_request_trace(operation->request));
        bh_log_failure(BH_LOG_INFO, error, "request failed");
        (void)bh_request_fail(operation->request, error);
    }
    TAILQ_REMOVE(&operation->job->operations, operation, next);
    operation->job->n_operations--;
    bh_request_unref(operation->request);
    operation->free(operation);
}

/* Gives up what nobody waits for any more. */
static void drop_cancelled(struct job *job)
{
    struct operation *operation, *following;
    for (operation = TAILQ_FIRST(&job->operations); operation; operation = following) {
        following = TAILQ_NEXT(operation, next);
        if (!bh_request_cancelled(operation->request)) {
            continue;
        }
        struct bh_error error;
        (void)bh_error_set(&error, BH_DEADLINE_EXCEEDED, "registry %s did not deliver in time", job->session.registry);
        if (operation->exchange) {
            exchange_abort(operation->exchange);
        }
        operation_end(operation, &error);
    }
}

/* Puts the channel and the full pipes beside libcurl's own sockets. */
static unsigned gather(const struct job *job, const struct bh_channel *channel, struct curl_waitfd *waits)
{
    unsigned n = 0;
    waits[n++] = (struct curl_waitfd){.fd = bh_channel_fd(channel), .events = CURL_WAIT_POLLIN};
    const struct operation *operation;
    TAILQ_FOREACH(operation, &job->operations, next)
    {
        if (operation->waiting_fd >= 0) {
            waits[n++] = (struct curl_waitfd){.fd = operation->waiting_fd, .events = CURL_WAIT_POLLOUT};
        }
    }
    return n;
}

/* A full pipe that has room again (or no reader any more) lets its transfer go on. */
static void resume_ready(struct job *job)
{
    struct operation *operation;
    TAILQ_FOREACH(operation, &job->operations, next)
    {
        struct pollfd ready = {.fd = operation->waiting_fd, .events = POLLOUT};
        if (operation->waiting_fd >= 0 && poll(&ready, 1, 0) > 0) {
            operation->waiting_fd = -1;
            exchange_resume(operation->exchange);
        }
    }
}

static int serve(struct job *job, struct bh_channel *channel, struct bh_error *error)
{
    struct curl_waitfd waits[JOB_OPERATIONS_MAX + 1];
    for (;;) {
        int timeout_ms = exchanges_tick(&job->session, WAIT_MAX_MS);
        http_wait(job->session.http, waits, gather(job, channel, waits), timeout_ms);
        int served;
        while ((served = bh_channel_poll(channel, 0, error)) == 1) {
        }
        if (served != 0) {
            return served < 0 ? -1 : 0;
        }
        drop_cancelled(job);
        resume_ready(job);
        http_perform(job->session.http);
    }
}

static void release(struct job *job, struct bh_channel *channel)
{
    struct operation *operation;
    while ((operation = TAILQ_FIRST(&job->operations))) {
        if (operation->exchange) {
            exchange_abort(operation->exchange);
        }
        operation_end(operation, NULL);
    }
    session_close(&job->session);
    bh_channel_free(channel);
}

int job_run(struct bh_service_context *context, const struct bh_protocol *protocol, int job_fd, int dialer_fd)
{
    bh_autoclose int owned_fd = job_fd;
    struct bh_error error = {0};
    struct bh_channel *channel = NULL;
    struct job job = {0};
    TAILQ_INIT(&job.operations);
    TAILQ_INIT(&job.session.exchanges);
    const Bulkhead__Config *config = context->config;
    size_t n_trusted = 0;
    bh_autofree const char **trusted =
        calloc(config->n_private_registries + config->n_insecure_registries + 1, sizeof(*trusted));
    for (size_t i = 0; trusted && i < config->n_private_registries; i++) {
        trusted[n_trusted++] = config->private_registries[i];
    }
    for (size_t i = 0; trusted && i < config->n_insecure_registries; i++) {
        trusted[n_trusted++] = config->insecure_registries[i];
    }
    job.session.trusted = trusted;
    job.session.n_trusted = n_trusted;
    int result = connections_new(dialer_fd, &job.session.connections, &error);
    if (result == 0) {
        result = http_new(job.session.connections, &job.session.http, &error);
    }
    if (result == 0) {
        result = bh_channel_new(protocol, &job, &channel, &error);
    }
    if (result == 0) {
        result = bh_channel_wire(channel, bh_steal_fd(&owned_fd), &error);
    }
    if (result == 0) {
        result = serve(&job, channel, &error);
    }
    if (result < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "serve a job");
    }
    release(&job, channel);
    return result < 0;
}
