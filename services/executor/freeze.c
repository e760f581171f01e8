/* SPDX-License-Identifier: Apache-2.0
 *
 * Freezing; see freeze.h.
 */
#include "freeze.h"

#include "job.h"
#include "policyd_executor.pb-c.h"

struct freeze {
    const struct running *running;
    bool frozen;
};

static int freeze_work(struct executor *executor, void *argument, int answer_socket)
{
    const struct freeze *freeze = argument;
    struct job_answer answer = {0};
    struct cgroup cgroup;
    if (cgroup_open(&executor->cgroups, freeze->running->record.cgroup_parent, freeze->running->name, &cgroup,
                    &answer.error) == 0) {
        if (cgroup_freeze(&cgroup, freeze->frozen, &answer.error) == 0) {
            bh_error_clear(&answer.error);
        }
        cgroup_close(&cgroup);
    }
    job_answer(answer_socket, &answer, -1);
    return 0;
}

static void freeze_done(struct bh_request *request, const struct job_said *said)
{
    (void)said;
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

static const struct job_kind freeze_job = {.name = "freeze", .work = freeze_work, .done = freeze_done};

int freeze_container(struct executor *executor, const struct running *running, bool frozen, struct bh_request *request,
                     struct bh_error *error)
{
    struct freeze freeze = {.running = running, .frozen = frozen};
    return running->pidfd < 0
               ? bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is not running", running->name)
               : job_start(executor, &freeze_job, running->record.id, &freeze, request, error);
}
