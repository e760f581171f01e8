/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenNetwork: the same descriptors of a container that runs already; see network.h. A child joins its user and network
 * namespaces, by the pidfd of its first process, and no other: nothing inside sees it.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "common/cleanup.h"
#include "enter.h"
#include "entry.h"
#include "job.h"
#include "network.h"
#include "policyd_executor.pb-c.h"
#include "running.h"

struct opening {
    struct network_wish wish;
    int pidfd; /* of a process in its namespaces */
};

enum { ANSWER_FD }; /* the child's only descriptor */

/* ---- in the job -------------------------------------------------------------------------------------------- */

static void inside(void *argument)
{
    const struct opening *opening = argument;
    struct job_answer answer = {0};
    int fds[NETWORK_FDS_MAX];
    size_t n = 0;
    (void)network_open(&opening->wish, fds, &n, &answer.error);
    job_answer_with(ANSWER_FD, &answer, fds, n);
    _exit(0);
}

static int work(struct executor *executor, void *argument, int answer_socket)
{
    (void)executor;
    const struct opening *opening = argument;
    struct job_answer answer = {0};
    const struct enter enter = {.pidfd = opening->pidfd,
                                .namespaces = CLONE_NEWUSER | CLONE_NEWNET,
                                .descriptors = &answer_socket,
                                .n_descriptors = 1};
    int32_t pid;
    bh_autoclose int pidfd = -1;
    if (enter_spawn(&enter, inside, argument, &pid, &pidfd, &answer.error) < 0) {
        job_answer(answer_socket, &answer, -1);
        return 0;
    }
    (void)waitpid(pid, NULL, 0);
    return 0;
}

/* ---- in the executor --------------------------------------------------------------------------------------- */

static void opened(struct bh_request *request, const struct job_said *said)
{
    Bulkhead__NetworkOpened message = BULKHEAD__NETWORK_OPENED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_NETWORK_OPENED;
    packet.network_opened = &message;
    (void)bh_request_reply(request, &packet.base, said->fds, said->n_fds);
}

static const struct job_kind open_job = {.name = "open a network", .work = work, .done = opened};

/* Only what was started to be linked is: no link is led into the host's namespace, or into another container's by way
 * of one that shares it. */
static int read_wish(const struct running *running, bool ipv6, struct network_wish *ret_wish, struct bh_error *error)
{
    void *taken = NULL;
    if (record_read_packed(running->folder, &running->record, &taken, error) < 0) {
        return -1;
    }
    bh_autofree void *packed = taken;
    Bulkhead__ContainerSpec *spec = bulkhead__container_spec__unpack(NULL, running->record.packed_bytes, packed);
    if (!spec) {
        return bh_error_set(error, BH_DATA_LOSS, "the record of container %.12s holds no spec", running->name);
    }
    bool linked = spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    *ret_wish = (struct network_wish){.embedded_dns = spec->attachment && spec->attachment->embedded_dns, .ipv6 = ipv6};
    bulkhead__container_spec__free_unpacked(spec, NULL);
    return linked ? 0
                  : bh_error_set(error, BH_FAILED_PRECONDITION,
                                 "container %.12s was not started with networks of its own", running->name);
}

static int open_running(struct bh_request *request, const Bulkhead__OpenNetwork *message, const struct running *running,
                        struct bh_error *error)
{
    struct opening opening;
    uint8_t key[32]; /* other jobs on its files go on meanwhile: it is a job of another id */
    if (running->pidfd < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is not running", running->name);
    }
    if (read_wish(running, message->ipv6, &opening.wish, error) < 0 || entry_check(running, error) < 0) {
        return -1;
    }
    opening.pidfd = running->pidfd;
    memcpy(key, running->record.id, sizeof(key));
    key[1] = (uint8_t)~key[1];
    return job_start(answer_executor(request), &open_job, key, &opening, request, error);
}

void network_handle_open(struct bh_request *request)
{
    const Bulkhead__OpenNetwork *message = bh_request_body(request);
    struct running running = {.folder = -1, .logs = -1, .pidfd = -1};
    struct bh_error error = {0};
    const Bulkhead__ContainerId *container = message->container;
    if (!container || container->id.len != 32) {
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT, "a request without a container id of 32 bytes");
        (void)bh_request_fail(request, &error);
        return;
    }
    if (running_open(answer_executor(request), container->id.data, container->tenant_uid, &running, &error) < 0 ||
        open_running(request, message, &running, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
    running_close(&running);
}
