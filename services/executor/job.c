/* SPDX-License-Identifier: Apache-2.0
 *
 * Forked jobs; see job.h. The answer comes from our own program, which at that time has not yet read a byte of the
 * container's; still it is taken as data: records of one size, whose texts are ended and cleaned here.
 */
#include "job.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "executor.h"

#define JOBS_MAX 256

struct job {
    LIST_ENTRY(job) next;
    struct executor *executor;
    const struct job_kind *kind;
    uint8_t id[32];
    uint32_t tenant_uid; /* UINT32_MAX: nobody's in particular */
    struct bh_request *request;
    struct event *event;
    int socket;
};

static void job_free(struct job *job)
{
    if (!job) {
        return;
    }
    if (job->event) {
        event_free(job->event);
    }
    if (job->request) {
        bh_request_unref(job->request);
    }
    bh_close(&job->socket);
    free(job);
}

static void job_cleanup(struct job **job)
{
    job_free(*job);
}

bool job_is_running(const struct executor *executor, const uint8_t id[static 32])
{
    const struct job *job;
    LIST_FOREACH(job, &executor->jobs.list, next)
    {
        if (memcmp(job->id, id, sizeof(job->id)) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- the child's side ----------------------------------------------------------------------------- */

void job_answer_with(int answer_socket, const struct job_answer *answer, const int *fds, size_t n_fds)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(JOB_FDS_MAX * sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_fds > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    /* If nobody listens any more, the container's record says what happened. */
    (void)sendmsg(answer_socket, &message, MSG_NOSIGNAL);
}

void job_answer(int answer_socket, const struct job_answer *answer, int fd)
{
    job_answer_with(answer_socket, answer, &fd, fd >= 0 ? 1 : 0);
}

void job_progress(int answer_socket, const int *fds, size_t n_fds)
{
    const struct job_answer progress = {.more = true};
    job_answer_with(answer_socket, &progress, fds, n_fds);
}

/* ---- the executor's side -------------------------------------------------------------------------- */

int job_receive(int socket, struct job_said *ret_said)
{
    struct iovec part = {.iov_base = &ret_said->answer, .iov_len = sizeof(ret_said->answer)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(JOB_FDS_MAX * sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const struct cmsghdr *header = n >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    ret_said->n_fds = 0;
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        ret_said->n_fds = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(ret_said->fds, CMSG_DATA(header), ret_said->n_fds * sizeof(int));
    }
    return n == (ssize_t)sizeof(ret_said->answer) ? 1 : 0;
}

void job_said_close(struct job_said *said)
{
    for (size_t i = 0; i < said->n_fds; i++) {
        bh_close(&said->fds[i]);
    }
    said->n_fds = 0;
}

/* Our own program's texts; still they are ended here. */
static void end_texts(struct bh_error *error)
{
    error->message[BH_ERROR_MESSAGE_SIZE - 1] = '\0';
    if (error->n_context > BH_ERROR_CONTEXT_MAX) {
        error->n_context = 0;
    }
    for (size_t i = 0; i < error->n_context; i++) {
        error->context[i][BH_ERROR_CONTEXT_SIZE - 1] = '\0';
    }
}

static void finish(struct job *job, int received, struct job_said *said)
{
    LIST_REMOVE(job, next);
    job->executor->jobs.n--;
    if (received == 0 || said->answer.more) {
        struct bh_error error = {0};
        (void)bh_error_set(&error, BH_INTERNAL, "%s: the process doing it died", job->kind->name);
        bh_log_failure(BH_LOG_ERROR, &error, job->kind->name);
        (void)bh_request_fail(job->request, &error);
    } else if (said->answer.error.code != BH_OK) {
        end_texts(&said->answer.error);
        bh_log_failure(BH_LOG_INFO, &said->answer.error, job->kind->name);
        (void)bh_request_fail(job->request, &said->answer.error);
    } else {
        job->kind->done(job->request, said);
    }
    job_free(job);
}

static void on_said(evutil_socket_t socket, short what, void *argument)
{
    (void)what;
    struct job *job = argument;
    __attribute__((cleanup(job_said_close))) struct job_said said = {0};
    int received = job_receive(socket, &said);
    bh_log_set_trace(bh_request_trace(job->request));
    if (received && said.answer.more && job->kind->progress) {
        job->kind->progress(job->request, &said);
    } else {
        finish(job, received, &said);
    }
    bh_log_set_trace(0);
}

/* What the executor's own life needs and a child must not have: signal dispositions of the loop. */
static void forget_loop(void)
{
    for (int signal_number = 1; signal_number < NSIG; signal_number++) {
        if (signal_number != SIGPIPE) {
            (void)signal(signal_number, SIG_DFL);
        }
    }
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static size_t count_jobs(const struct executor *executor, uint32_t tenant_uid)
{
    const struct job *job;
    size_t n = 0;
    LIST_FOREACH(job, &executor->jobs.list, next)
    {
        n += job->tenant_uid == tenant_uid;
    }
    return n;
}

int job_start(struct executor *executor, const struct job_kind *kind, const uint8_t id[static 32], void *argument,
              struct bh_request *request, struct bh_error *error)
{
    return job_start_bounded(executor, kind, id, UINT32_MAX, JOBS_MAX, argument, request, error);
}

int job_start_bounded(struct executor *executor, const struct job_kind *kind, const uint8_t id[static 32],
                      uint32_t tenant_uid, size_t most, void *argument, struct bh_request *request,
                      struct bh_error *error)
{
    if (job_is_running(executor, id)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "another operation on this container is not finished yet");
    }
    if (executor->jobs.n >= JOBS_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "%d operations are under way; try again later", JOBS_MAX);
    }
    if (tenant_uid != UINT32_MAX && count_jobs(executor, tenant_uid) >= most) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                            "%zu of this tenant's operations are under way already; "
                            "try again later",
                            most);
    }
    __attribute__((cleanup(job_cleanup))) struct job *job = calloc(1, sizeof(*job));
    int ends[2];
    if (!job || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        free(bh_steal_pointer(&job));
        return bh_error_errno(error, errno, "prepare a job");
    }
    bh_autoclose int child_end = ends[1];
    *job = (struct job){.executor = executor, .kind = kind, .tenant_uid = tenant_uid, .socket = ends[0]};
    memcpy(job->id, id, sizeof(job->id));
    job->event = event_new(executor->context->base, job->socket, EV_READ | EV_PERSIST, on_said, job);
    if (!job->event || event_add(job->event, NULL) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch a job");
    }
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "fork a job");
    }
    if (pid == 0) {
        forget_loop();
        bh_close(&job->socket);
        _exit(kind->work(executor, argument, child_end));
    }
    job->request = bh_request_ref(request);
    LIST_INSERT_HEAD(&executor->jobs.list, job, next);
    executor->jobs.n++;
    (void)bh_steal_pointer(&job);
    return 0;
}

void jobs_free(struct jobs *jobs)
{
    struct job *job;
    while ((job = LIST_FIRST(&jobs->list)) != NULL) {
        LIST_REMOVE(job, next);
        job_free(job);
    }
}
