/* SPDX-License-Identifier: Apache-2.0
 *
 * See change.h. The kernel comes first, what is kept of the row after it: limits that are refused are not written down.
 */
#include "services/engine/change.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/database_change.h"
#include "services/engine/events.h"
#include "services/engine/kernel.h"
#include "services/engine/live.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"

int change_check(const Bulkhead__ChangeContainer *question, const Bulkhead__ContainerRequest *request,
                 struct bh_error *error)
{
    const Bulkhead__Resources *wanted = question->resources, *now = request->resources;
    bool nano = request->nano_cpus > 0; /* quota and period are ours then */
    bool asks_nano = question->nano_cpus > 0;
    const struct {
        bool conflict;
        const char *text;
    } rows[] = {
        {asks_nano && !nano && now->cpu_period_us > 0,
         "Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set"},
        {asks_nano && !nano && now->cpu_quota_us > 0 && now->cpu_quota_us != UINT64_MAX,
         "Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set"},
        {!asks_nano && nano && wanted->cpu_period_us > 0,
         "Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set"},
        {!asks_nano && nano && wanted->cpu_quota_us > 0,
         "Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set"},
        {wanted->memory_bytes > 0 && wanted->memory_bytes > now->memory_swap_bytes && wanted->memory_swap_bytes == 0,
         "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time"},
        {request->auto_remove && question->restart_policy[0] && strcmp(question->restart_policy, "no") != 0,
         "Restart policy cannot be updated because AutoRemove is enabled for the container"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].conflict) {
            return bh_error_set(error, BH_FAILED_PRECONDITION, "%s", rows[i].text);
        }
    }
    return 0;
}

int change_merge(const Bulkhead__Resources *change, Bulkhead__Resources *resources, struct bh_error *error)
{
    const struct {
        const uint64_t *from;
        uint64_t *to;
    } numbers[] = {
        {&change->memory_bytes, &resources->memory_bytes},
        {&change->memory_swap_bytes, &resources->memory_swap_bytes},
        {&change->memory_reservation_bytes, &resources->memory_reservation_bytes},
        {&change->cpu_quota_us, &resources->cpu_quota_us},
        {&change->cpu_period_us, &resources->cpu_period_us},
        {&change->cpu_shares, &resources->cpu_shares},
        {&change->pids_max, &resources->pids_max},
        {&change->cpu_realtime_period_us, &resources->cpu_realtime_period_us},
        {&change->cpu_realtime_runtime_us, &resources->cpu_realtime_runtime_us},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (*numbers[i].from) {
            *numbers[i].to = *numbers[i].from;
        }
    }
    if (resources->pids_max == UINT64_MAX) {
        resources->pids_max = 0;
    }
    if (change->blkio_weight) {
        resources->blkio_weight = change->blkio_weight;
    }
    return (change->cpuset_cpus[0] && string_set(&resources->cpuset_cpus, change->cpuset_cpus, error) < 0) ||
                   (change->cpuset_mems[0] && string_set(&resources->cpuset_mems, change->cpuset_mems, error) < 0)
               ? -1
               : 0;
}

static bool changes_limits(const Bulkhead__Resources *change)
{
    static const Bulkhead__Resources nothing = BULKHEAD__RESOURCES__INIT;
    size_t n = bulkhead__resources__get_packed_size(change);
    return n != bulkhead__resources__get_packed_size(&nothing);
}

/* The row as it will be. */
static int change_row(const Bulkhead__ChangeContainer *question, const Bulkhead__Resources *change,
                      struct container_row *row, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = row->request;
    if (change_merge(change, request->resources, error) < 0 || change_merge(change, row->spec->resources, error) < 0) {
        return -1;
    }
    if (question->nano_cpus > 0) {
        request->nano_cpus = question->nano_cpus;
    }
    if (question->pids_limit_set) {
        request->pids_limit_set = true;
        request->pids_limit = question->pids_limit;
    }
    if (question->restart_policy[0]) {
        request->restart_retries = question->restart_retries;
        return string_set(&request->restart_policy, question->restart_policy, error);
    }
    return 0;
}

/* Policy judges all limits as they will be, and not only what changes: one is what it is beside the others. Those of a
 * container that does not run are judged when it is started, and now: what would then be refused is. */
static int apply(struct job *job, const struct container_row *row, const Bulkhead__Resources *change,
                 struct bh_error *error)
{
    if (!container_runs(&row->state)) {
        return policy_judge(job, row->spec, error);
    }
    if (!changes_limits(change)) {
        return 0;
    }
    Bulkhead__Resources limits = *row->spec->resources;
    if (change->pids_max == UINT64_MAX) {
        limits.pids_max = UINT64_MAX; /* a limit that is lifted; in the row there is none then */
    }
    return policy_update(job, row, &limits, error);
}

/* Under the container's lock. */
static int change(struct job *job, const Bulkhead__ChangeContainer *question, const uint8_t *id,
                  Bulkhead__Resources *limits, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return -1;
    }
    if (row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING ||
        row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Container is marked for removal and cannot be \"update\".");
    }
    if (change_check(question, row.request, error) < 0) {
        return -1;
    }
    job_shield(job);
    if (change_row(question, limits, &row, error) < 0 || apply(job, &row, limits, error) < 0) {
        return -1;
    }
    const struct engine_event event = EVENT_OF_CONTAINER(&row, "update");
    return database_change_container(job->engine->database, &row, &event, error);
}

int change_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__ChangeContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    char *warnings[KERNEL_WARNINGS_MAX];
    size_t n_warnings = 0;
    if (!question->resources) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a change needs resources");
    }
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0 ||
        kernel_fit(job, question->resources, warnings, &n_warnings, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (change(job, question, row.id, question->resources, error) < 0) {
        struct bh_digest id;
        char hex[BH_DIGEST_HEX_SIZE];
        memcpy(id.bytes, row.id, sizeof id.bytes);
        return bh_error_wrap(error, "Cannot update container %s", bh_digest_hex(&id, hex));
    }
    Bulkhead__ContainerChanged changed = BULKHEAD__CONTAINER_CHANGED__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    changed.warnings = warnings;
    changed.n_warnings = n_warnings;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_CONTAINER_CHANGED;
    packet.container_changed = &changed;
    (void)job_reply(job, &packet);
    return 0;
}
