/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to policyd about execs; see policy_exec.h.
 */
#include "services/engine/policy_exec.h"

#define START_MS 60000U /* the executor gives up before */

#define PACKET(name, kind, field, body)                                                                                \
    Bulkhead__EngineToPolicyd name = BULKHEAD__ENGINE_TO_POLICYD__INIT;                                                \
    name.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_##kind;                                                         \
    name.field = (body)

/* The messages that name an exec. */
struct named {
    Bulkhead__ContainerId container;
    Bulkhead__ExecId exec;
};

static Bulkhead__ExecId *name_exec(const struct policy_exec *exec, struct named *named)
{
    named->container = (Bulkhead__ContainerId)BULKHEAD__CONTAINER_ID__INIT;
    named->container.id = (ProtobufCBinaryData){.len = ENGINE_ID_BYTES, .data = (uint8_t *)(uintptr_t)exec->container};
    named->container.tenant_uid = exec->tenant_uid;
    named->exec = (Bulkhead__ExecId)BULKHEAD__EXEC_ID__INIT;
    named->exec.id = (ProtobufCBinaryData){.len = ENGINE_ID_BYTES, .data = (uint8_t *)(uintptr_t)exec->id};
    named->exec.container = &named->container;
    return &named->exec;
}

static struct bh_channel *door(const struct job *job)
{
    return bh_service_peer(job->engine->context, BH_ROLE_POLICYD);
}

static Bulkhead__ExecSpec make_spec(const struct policy_exec *exec, Bulkhead__Process *process, bool privileged,
                                    struct named *named)
{
    Bulkhead__ExecSpec spec = BULKHEAD__EXEC_SPEC__INIT;
    spec.exec = name_exec(exec, named);
    spec.process = process;
    spec.privileged = privileged;
    return spec;
}

int policy_judge_exec(struct job *job, const struct policy_exec *exec, Bulkhead__Process *process, bool privileged,
                      struct bh_error *error)
{
    struct named named;
    Bulkhead__ExecSpec spec = make_spec(exec, process, privileged, &named);
    Bulkhead__JudgeExec body = BULKHEAD__JUDGE_EXEC__INIT;
    body.spec = &spec;
    PACKET(packet, JUDGE_EXEC, judge_exec, &body);
    return job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_start_exec(struct job *job, const struct policy_exec *exec, Bulkhead__Process *process, bool privileged,
                      uint32_t keep_bytes, const int *streams, size_t n_clients, struct policy_started *ret_started,
                      struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    struct named named;
    Bulkhead__ExecSpec spec = make_spec(exec, process, privileged, &named);
    spec.keep_bytes = keep_bytes;
    Bulkhead__StartExec body = BULKHEAD__START_EXEC__INIT;
    body.spec = &spec;
    body.attachments = (uint32_t)n_clients;
    PACKET(packet, START_EXEC, start_exec, &body);
    if (job_ask(job, door(job), &packet.base, streams, n_clients * 3, START_MS,
                BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__ContainerStarted *started = bh_message_body(message);
    *ret_started = (struct policy_started){
        .pid = started->pid, .started_at_ns = started->started_at_ns, .monitor = bh_message_take_fd(message, 0)};
    return ret_started->monitor < 0 ? bh_error_set(error, BH_INTERNAL, "an exec was started without a monitor") : 0;
}

int policy_open_exec_monitor(struct job *job, const struct policy_exec *exec, int *ret_monitor, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    struct named named;
    Bulkhead__OpenExecMonitor body = BULKHEAD__OPEN_EXEC_MONITOR__INIT;
    body.exec = name_exec(exec, &named);
    PACKET(packet, OPEN_EXEC_MONITOR, open_exec_monitor, &body);
    if (job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_MONITOR_OPENED, &message, error) <
        0) {
        return -1;
    }
    *ret_monitor = bh_message_take_fd(message, 0);
    return *ret_monitor < 0 ? bh_error_set(error, BH_INTERNAL, "a monitor was opened without a connection") : 0;
}

int policy_signal_exec(struct job *job, const struct policy_exec *exec, uint32_t signal, struct bh_error *error)
{
    struct named named;
    Bulkhead__SignalExec body = BULKHEAD__SIGNAL_EXEC__INIT;
    body.exec = name_exec(exec, &named);
    body.signal = signal;
    PACKET(packet, SIGNAL_EXEC, signal_exec, &body);
    return job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_inspect_exec(struct job *job, const struct policy_exec *exec, struct policy_found *ret_found,
                        struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    struct named named;
    Bulkhead__InspectExec body = BULKHEAD__INSPECT_EXEC__INIT;
    body.exec = name_exec(exec, &named);
    PACKET(packet, INSPECT_EXEC, inspect_exec, &body);
    if (job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_EXEC_FOUND, &message, error) <
        0) {
        return -1;
    }
    const Bulkhead__ExecFound *found = bh_message_body(message);
    *ret_found = (struct policy_found){.running = found->running,
                                       .has_exit = found->has_exit,
                                       .pid = found->pid,
                                       .exit_code = found->exit_code,
                                       .started_at_ns = found->started_at_ns,
                                       .finished_at_ns = found->finished_at_ns};
    return 0;
}

int policy_remove_exec(struct job *job, const struct policy_exec *exec, struct bh_error *error)
{
    struct named named;
    Bulkhead__RemoveExec body = BULKHEAD__REMOVE_EXEC__INIT;
    body.exec = name_exec(exec, &named);
    PACKET(packet, REMOVE_EXEC, remove_exec, &body);
    return job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}
