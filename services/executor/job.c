/* SPDX-License-Identifier: Apache-2.0
 *
 * Forked jobs; see job.h. The answer comes from our own program, which at that time has not yet read a byte of the
 * container's; still it is taken as data: one record of one size, whose texts are ended and cleaned here.
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

void job_answer(int answer_socket, const struct job_answer *answer, int fd)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)answer, .iov_len = sizeof(*answer)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
    }
    /* If nobody listens any more, the container's record says what happened. */
    (void)sendmsg(answer_socket, &message, MSG_NOSIGNAL);
}

/* ---- the executor's side -------------------------------------------------------------------------- */

int job_receive(int socket, struct job_answer *ret_answer, int *ret_fd)
{
    struct iovec part = {.iov_base = ret_answer, .iov_len = sizeof(*ret_answer)};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    ssize_t n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    const struct cmsghdr *header = n >= 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int))) {
        memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
    }
    return n == (ssize_t)sizeof(*ret_answer) ? 1 : 0;
}

static void on_answer(evutil_socket_t socket, short what, void *argument)
{
    (void)what;
    __attribute__((cleanup(job_cleanup))) struct job *job = argument;
    struct job_answer answer;
    bh_autoclose int fd = -1;
    int received = job_receive(socket, &answer, &fd);
    LIST_REMOVE(job, next);
    job->executor->jobs.n--;
    bh_log_set_trace(bh_request_trace(job->request));
    if (received == 0) {
        struct bh_error error = {0};
        (void)bh_error_set(&error, BH_INTERNAL, "%s: the process doing it died", job->kind->name);
        bh_log_failure(BH_LOG_ERROR, &error, job->kind->name);
        (void)bh_request_fail(job->request, &error);
    } else if (answer.error.code != BH_OK) {
        answer.error.message[BH_ERROR_MESSAGE_SIZE - 1] = '\0';
        if (answer.error.n_context > BH_ERROR_CONTEXT_MAX) {
            answer.error.n_context = 0;
        }
        for (size_t i = 0; i < answer.error.n_context; i++) {
            answer.error.context[i][BH_ERROR_CONTEXT_SIZE - 1] = '\0';
        }
        bh_log_failure(BH_LOG_INFO, &answer.error, job->kind->name);
        (void)bh_request_fail(job->request, &answer.error);
    } else {
        job->kind->done(job->request, &answer, fd);
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
    job->event = event_new(executor->context->base, job->socket, EV_READ, on_answer, job);
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
