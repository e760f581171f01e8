/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers: one forked process per job; see service.h. The parent never reads what its workers read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/breach.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/service_internal.h"

#define KEEP_MAX 32

/* ---- the parent ------------------------------------------------------------------------------- */

static void log_end(const struct bh_child *child, int status)
{
    if (WIFSIGNALED(status)) {
        bh_log_error("worker %s (pid %d) was ended by signal %d", child->name, (int)child->pid, WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
        bh_log_warning("worker %s (pid %d) ended with status %d", child->name, (int)child->pid, WEXITSTATUS(status));
    } else {
        bh_log_debug("worker %s (pid %d) ended", child->name, (int)child->pid);
    }
}

static void on_child(evutil_socket_t signal_number, short what, void *argument)
{
    (void)signal_number;
    (void)what;
    struct bh_service_internal *internal = argument;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct bh_child *child;
        TAILQ_FOREACH(child, &internal->children, next)
        {
            if (child->pid == pid) {
                break;
            }
        }
        if (!child) {
            continue;
        }
        TAILQ_REMOVE(&internal->children, child, next);
        bh_log_set_trace(child->trace);
        log_end(child, status);
        if (child->on_exit) {
            child->on_exit(&internal->context, pid, status, child->argument);
        }
        bh_log_set_trace(0);
        free(child);
    }
}

int bh_service_watch_children(struct bh_service_internal *internal, struct bh_error *error)
{
    TAILQ_INIT(&internal->children);
    internal->child_signal = evsignal_new(internal->context.base, SIGCHLD, on_child, internal);
    if (!internal->child_signal || evsignal_add(internal->child_signal, NULL) < 0) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "watch for the end of workers");
    }
    return 0;
}

/* ---- the worker ------------------------------------------------------------------------------- */

static int compare_fds(const void *a, const void *b)
{
    int left = *(const int *)a, right = *(const int *)b;
    return (left > right) - (left < right);
}

/* Leaves open 0-2 and what is in `keep` (sorted here); everything else the parent had is gone. */
static int close_others(int *keep, size_t n_keep, struct bh_error *error)
{
    qsort(keep, n_keep, sizeof(keep[0]), compare_fds);
    unsigned int next = STDERR_FILENO + 1;
    for (size_t i = 0; i < n_keep; i++) {
        unsigned int fd = (unsigned int)keep[i];
        if (fd > next && close_range(next, fd - 1, 0) < 0) {
            return bh_error_errno(error, errno, "close inherited descriptors");
        }
        next = fd >= next ? fd + 1 : next;
    }
    return close_range(next, UINT_MAX, 0) < 0 ? bh_error_errno(error, errno, "close inherited descriptors") : 0;
}

static int run_worker(struct bh_service_context *context, const struct bh_worker *worker, int job_fd, void *argument)
{
    struct bh_error error;
    int keep[KEEP_MAX + 2];
    size_t n_keep = 0;
    for (size_t i = 0; i < worker->n_keep && n_keep < KEEP_MAX; i++) {
        if (worker->keep[i] >= 0) {
            keep[n_keep++] = worker->keep[i];
        }
    }
    if (job_fd >= 0) {
        keep[n_keep++] = job_fd;
    }
    if (bh_breach_fd() >= 0) {
        keep[n_keep++] = bh_breach_fd();
    }
    (void)signal(SIGCHLD, SIG_DFL);
    (void)prctl(PR_SET_NAME, worker->name, 0, 0, 0);
    /* A worker does not outlive its service: whoever waits for it sees the job channel close. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || close_others(keep, n_keep, &error) < 0 ||
        bh_sandbox_enter_worker(worker->sandbox, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "start a worker");
        return EXIT_FAILURE;
    }
    context->base = NULL;
    bh_breach_worker(worker->name);
    return worker->work(context, job_fd, argument);
}

/* A service forks what its own row tells of, and nothing else. */
static bool is_declared(const struct bh_sandbox *service, const struct bh_worker *worker)
{
    size_t n = sizeof(service->workers) / sizeof(service->workers[0]);
    for (size_t i = 0; i < n && service->workers[i].name; i++) {
        if (service->workers[i].sandbox == worker->sandbox && strcmp(service->workers[i].name, worker->name) == 0) {
            return true;
        }
    }
    return false;
}

int bh_worker_fork(struct bh_service_context *context, const struct bh_worker *worker, int job_fd, void *argument,
                   pid_t *ret_pid, struct bh_error *error)
{
    struct bh_service_internal *internal = bh_service_current();
    bh_autofree struct bh_child *child = calloc(1, sizeof(*child));
    if (!child || worker->n_keep > KEEP_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no room for a worker");
    }
    if (!is_declared(context->service->sandbox, worker)) {
        return bh_error_set(error, BH_INTERNAL, "worker %s is not in its service's row", worker->name);
    }
    pid_t pid = fork();
    if (pid < 0) {
        return bh_error_errno(error, errno, "fork worker %s", worker->name);
    }
    if (pid == 0) {
        _exit(run_worker(context, worker, job_fd, argument));
    }
    child->pid = pid;
    child->name = worker->name;
    child->trace = bh_log_trace();
    child->on_exit = worker->on_exit;
    child->argument = argument;
    TAILQ_INSERT_TAIL(&internal->children, child, next);
    (void)bh_steal_pointer(&child);
    if (ret_pid) {
        *ret_pid = pid;
    }
    return 0;
}
