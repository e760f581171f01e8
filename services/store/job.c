/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers and their reports; see job.h. Reports come from our own program, but it has handled bytes from outside: the
 * parent takes nothing of them on trust that would matter to itself.
 */
#include "job.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"

struct job {
    struct event *readable;
    int socket;
    bool done; /* its last report came */
    job_notify notify;
    void *argument;
};

/* ---- the parent ------------------------------------------------------------------------------------------------ */

/* Makes a received record safe to use whatever its bytes are. False if it is none. */
static bool make_sane(struct job_report *report)
{
    struct bh_error *error = &report->error;
    if (report->kind == JOB_REPORT_WRITTEN || report->kind == JOB_REPORT_DURABLE) {
        return true;
    }
    if (report->kind != JOB_REPORT_FAILED || error->code <= BH_OK || error->code > BH_UNAUTHENTICATED ||
        error->n_context > BH_ERROR_CONTEXT_MAX) {
        return false;
    }
    error->message[sizeof(error->message) - 1] = '\0';
    for (size_t i = 0; i < error->n_context; i++) {
        error->context[i][sizeof(error->context[i]) - 1] = '\0';
    }
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *argument)
{
    (void)what;
    struct job *job = argument;
    struct job_report report;
    ssize_t n = recv(fd, &report, sizeof(report), MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    bool whole = n == (ssize_t)sizeof(report) && make_sane(&report);
    if (!whole) {
        (void)event_del(job->readable);
        if (job->done) {
            return;
        }
    }
    job->done = job->done || !whole || report.kind != JOB_REPORT_WRITTEN;
    job->notify(whole ? &report : NULL, job->argument);
}

int job_start(struct bh_service_context *context, const struct job_start *start, struct job **ret_job,
              struct bh_error *error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return bh_error_errno(error, errno, "make a socket pair for a worker");
    }
    bh_autoclose int ours = ends[0];
    bh_autoclose int theirs = ends[1];
    bh_autofree struct job *job = calloc(1, sizeof(*job));
    struct event *readable = job ? event_new(context->base, ours, EV_READ | EV_PERSIST, on_readable, job) : NULL;
    if (!readable || event_add(readable, NULL) < 0) {
        if (readable) {
            event_free(readable);
        }
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a worker");
    }
    const struct bh_worker worker = {.sandbox = start->sandbox,
                                     .name = start->name,
                                     .work = start->work,
                                     .keep = start->keep,
                                     .n_keep = sizeof(start->keep) / sizeof(start->keep[0])};
    if (bh_worker_fork(context, &worker, theirs, start->plan, NULL, error) < 0) {
        event_free(readable);
        return -1;
    }
    job->socket = bh_steal_fd(&ours);
    job->readable = readable;
    job->notify = start->notify;
    job->argument = start->argument;
    *ret_job = bh_steal_pointer(&job);
    return 0;
}

int job_published(struct job *job, struct bh_error *error)
{
    if (send(job->socket, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) {
        return bh_error_errno(error, errno, "tell a worker that its file has a name");
    }
    return 0;
}

void job_free(struct job *job)
{
    if (job) {
        event_free(job->readable);
        bh_close(&job->socket);
        free(job);
    }
}

/* ---- the worker ------------------------------------------------------------------------------------------------ */

void job_report(int job_fd, const struct job_report *report)
{
    (void)send(job_fd, report, sizeof(*report), MSG_NOSIGNAL);
}

int job_wait_published(int job_fd)
{
    char byte;
    ssize_t n;
    do {
        n = recv(job_fd, &byte, sizeof(byte), 0);
    } while (n < 0 && errno == EINTR);
    return n == 1 ? 0 : -1;
}

int job_wait(int job_fd, int fd, short events, struct bh_error *error)
{
    struct pollfd wait[] = {{.fd = job_fd, .events = 0}, {.fd = fd, .events = events}};
    const struct timespec now = {.tv_sec = 0};
    for (;;) {
        int ready = ppoll(wait, 2, fd < 0 ? &now : NULL, NULL);
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready < 0) {
            return bh_error_errno(error, errno, "wait for bytes");
        }
        if (wait[0].revents != 0) { /* only its end is ever reported */
            return bh_error_set(error, BH_CANCELLED, "the ingest was given up");
        }
        return 0;
    }
}
