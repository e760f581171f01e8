/* SPDX-License-Identifier: Apache-2.0
 *
 * See stats.h.
 */
#include "services/engine/stats.h"

#include <string.h>

#include "common/cleanup.h"
#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/events.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"
#include "services/engine/samples.h"

int get_stats(struct job *job, struct bh_error *error)
{
    const Bulkhead__GetStats *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    struct sample *sample = NULL;
    if (container_runs(&row.state) && samples_get(job, &row, question->next_after_ns, &sample, error) < 0) {
        if (error->code != BH_FAILED_PRECONDITION && error->code != BH_NOT_FOUND) {
            return -1;
        }
        bh_error_clear(error); /* it has just ended */
    }
    Bulkhead__Stats stats = BULKHEAD__STATS__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    stats.id = (ProtobufCBinaryData){.len = sizeof row.id, .data = row.id};
    stats.name = row.name;
    stats.running = sample != NULL;
    stats.sample = sample ? sample->stats : NULL;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_STATS;
    packet.stats = &stats;
    bool has_network = sample && sample->network >= 0;
    (void)bh_request_reply(job->request, &packet.base, has_network ? &sample->network : NULL, has_network ? 1 : 0);
    samples_put(job->engine->samples, sample);
    return 0;
}

/* ---- processes ------------------------------------------------------------------------------------------ */

int get_processes(struct job *job, struct bh_error *error)
{
    const Bulkhead__GetProcesses *question = job_body(job);
    container_row_auto struct container_row row = {0};
    bh_automessage struct bh_message *message = NULL;
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row.id, sizeof id.bytes);
    if (!container_runs(&row.state)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Container %s is not running", bh_digest_hex(&id, hex));
    }
    if (policy_list_processes(job, row.id, row.tenant_uid, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__ProcessesListed *listed = bh_message_body(message);
    Bulkhead__Processes processes = BULKHEAD__PROCESSES__INIT;
    Bulkhead__EngineToApi packet = BULKHEAD__ENGINE_TO_API__INIT;
    bh_autoclose int list = bh_message_take_fd(message, 0);
    processes.processes = listed->processes;
    processes.truncated = listed->truncated;
    packet.body_case = BULKHEAD__ENGINE_TO_API__BODY_PROCESSES;
    packet.processes = &processes;
    events_emit_container(job->engine, &row, "top", NULL);
    (void)bh_request_reply(job->request, &packet.base, &list, 1);
    return 0;
}
