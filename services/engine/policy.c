/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to policyd; see policy.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/policy.h"
#include "services/engine/policy_packets.h"

/* Starting has to wait for the slowest storage, removing for the largest upper. */
#define START_MS  120000U
#define REMOVE_MS 600000U

struct bh_channel *policy_door(const struct job *job)
{
    return bh_service_peer(job->engine->context, BH_ROLE_POLICYD);
}

int policy_admit_image(struct job *job, const char *reference, const struct bh_digest *manifest, struct bh_error *error)
{
    Bulkhead__AdmitImage body = BULKHEAD__ADMIT_IMAGE__INIT;
    body.tenant_uid = job->tenant_uid;
    body.reference = (char *)(uintptr_t)reference;
    body.manifest_digest = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)manifest->bytes};
    PACKET(packet, ADMIT_IMAGE, admit_image, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_admit_layers(struct job *job, uint64_t held_bytes, uint64_t more_bytes, struct bh_error *error)
{
    Bulkhead__AdmitLayers body = BULKHEAD__ADMIT_LAYERS__INIT;
    body.tenant_uid = job->tenant_uid;
    body.held_bytes = held_bytes;
    body.more_bytes = more_bytes;
    PACKET(packet, ADMIT_LAYERS, admit_layers, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_admit_transfer(struct job *job, const struct bh_reference *reference, struct bh_error *error)
{
    char name[BH_REFERENCE_BYTES_MAX + 1];
    Bulkhead__AdmitTransfer body = BULKHEAD__ADMIT_TRANSFER__INIT;
    body.tenant_uid = job->tenant_uid;
    body.reference = name;
    body.under_way = job_begin_transfer(job);
    (void)bh_reference_format(reference, name, sizeof name);
    PACKET(packet, ADMIT_TRANSFER, admit_transfer, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_admit_push(struct job *job, const char *reference, const struct bh_digest *id, struct bh_error *error)
{
    Bulkhead__AdmitPush body = BULKHEAD__ADMIT_PUSH__INIT;
    body.tenant_uid = job->tenant_uid;
    body.reference = (char *)(uintptr_t)reference;
    body.image = (ProtobufCBinaryData){.len = BH_DIGEST_BYTES, .data = (uint8_t *)(uintptr_t)id->bytes};
    PACKET(packet, ADMIT_PUSH, admit_push, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_judge(struct job *job, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__JudgeContainer body = BULKHEAD__JUDGE_CONTAINER__INIT;
    body.spec = spec;
    PACKET(packet, JUDGE_CONTAINER, judge_container, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_start(struct job *job, Bulkhead__ContainerSpec *spec, const int *streams, size_t n_clients,
                 struct policy_started *ret_started, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__StartContainer body = BULKHEAD__START_CONTAINER__INIT;
    body.spec = spec;
    body.attachments = (uint32_t)n_clients;
    PACKET(packet, START_CONTAINER, start_container, &body);
    if (job_ask(job, policy_door(job), &packet.base, streams, n_clients * 3, START_MS,
                BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_STARTED, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__ContainerStarted *started = bh_message_body(message);
    *ret_started = (struct policy_started){
        .pid = started->pid, .started_at_ns = started->started_at_ns, .monitor = bh_message_take_fd(message, 0)};
    ret_started->answer = bh_steal_pointer(&message);
    return ret_started->monitor < 0 ? bh_error_set(error, BH_INTERNAL, "a container was started without a monitor") : 0;
}

int policy_open_copier(struct job *job, Bulkhead__ContainerSpec *spec, Bulkhead__CopierView view, int channel,
                       struct bh_error *error)
{
    Bulkhead__OpenCopier body = BULKHEAD__OPEN_COPIER__INIT;
    body.spec = spec;
    body.view = view;
    PACKET(packet, OPEN_COPIER, open_copier, &body);
    return job_ask(job, policy_door(job), &packet.base, &channel, 1, START_MS,
                   BULKHEAD__POLICYD_TO_ENGINE__BODY_COPIER_OPENED, NULL, error);
}

int policy_signal(struct job *job, const uint8_t *id, uint32_t tenant_uid, uint32_t signal, struct bh_error *error)
{
    CONTAINER(container, id, tenant_uid);
    Bulkhead__SignalContainer body = BULKHEAD__SIGNAL_CONTAINER__INIT;
    body.container = &container;
    body.signal = signal;
    PACKET(packet, SIGNAL_CONTAINER, signal_container, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_freeze(struct job *job, const struct container_row *row, bool frozen, struct bh_error *error)
{
    CONTAINER(container, row->id, row->tenant_uid);
    Bulkhead__FreezeContainer body = BULKHEAD__FREEZE_CONTAINER__INIT;
    body.container = &container;
    body.frozen = frozen;
    PACKET(packet, FREEZE_CONTAINER, freeze_container, &body);
    return job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_remove(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct bh_error *error)
{
    CONTAINER(container, id, tenant_uid);
    Bulkhead__RemoveContainer body = BULKHEAD__REMOVE_CONTAINER__INIT;
    body.container = &container;
    PACKET(packet, REMOVE_CONTAINER, remove_container, &body);
    if (job_ask(job, policy_door(job), &packet.base, NULL, 0, REMOVE_MS, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL,
                error) == 0) {
        return 0;
    }
    return error->code != BH_UNAVAILABLE ? -1
                                         : job_ask_again(job, policy_door(job), &packet.base,
                                                         BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_open_monitor(struct job *job, const uint8_t *id, uint32_t tenant_uid, int *ret_monitor,
                        struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    CONTAINER(container, id, tenant_uid);
    Bulkhead__OpenMonitor body = BULKHEAD__OPEN_MONITOR__INIT;
    body.container = &container;
    PACKET(packet, OPEN_MONITOR, open_monitor, &body);
    if (job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_MONITOR_OPENED, &message,
                      error) < 0) {
        return -1;
    }
    *ret_monitor = bh_message_take_fd(message, 0);
    return *ret_monitor < 0 ? bh_error_set(error, BH_INTERNAL, "a monitor was opened without a connection") : 0;
}

int policy_open_log(struct job *job, const struct container_row *row, int ret_files[static BH_MESSAGE_FDS_MAX],
                    size_t *ret_n_files, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    CONTAINER(container, row->id, row->tenant_uid);
    Bulkhead__OpenLog body = BULKHEAD__OPEN_LOG__INIT;
    body.container = &container;
    PACKET(packet, OPEN_LOG, open_log, &body);
    if (job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_LOG_OPENED, &message,
                      error) < 0) {
        return -1;
    }
    size_t n_files = message->n_fds;
    for (size_t i = 0; i < n_files; i++) {
        ret_files[i] = bh_message_take_fd(message, i);
    }
    *ret_n_files = n_files;
    return 0;
}

static int read_found(const Bulkhead__ContainerFound *found, struct policy_found *ret_found, struct bh_error *error)
{
    if (!found->container || found->container->id.len != ENGINE_ID_BYTES) {
        return bh_error_set(error, BH_INTERNAL, "the executor found a container without an id");
    }
    *ret_found = (struct policy_found){.tenant_uid = found->container->tenant_uid,
                                       .running = found->running,
                                       .has_exit = found->has_exit,
                                       .oom_killed = found->oom_killed,
                                       .pid = found->pid,
                                       .exit_code = found->exit_code,
                                       .started_at_ns = found->started_at_ns,
                                       .finished_at_ns = found->finished_at_ns};
    memcpy(ret_found->id, found->container->id.data, ENGINE_ID_BYTES);
    return 0;
}

int policy_inspect(struct job *job, const uint8_t *id, uint32_t tenant_uid, struct policy_found *ret_found,
                   struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    CONTAINER(container, id, tenant_uid);
    Bulkhead__InspectContainer body = BULKHEAD__INSPECT_CONTAINER__INIT;
    body.container = &container;
    PACKET(packet, INSPECT_CONTAINER, inspect_container, &body);
    if (job_ask_again(job, policy_door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_FOUND, &message,
                      error) < 0) {
        return -1;
    }
    return read_found(bh_message_body(message), ret_found, error);
}

int policy_list(struct job *job, struct policy_found **ret_found, size_t *ret_n_found, struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    bh_autofree struct policy_found *all = NULL;
    size_t n_all = 0;
    Bulkhead__ListContainers body = BULKHEAD__LIST_CONTAINERS__INIT;
    PACKET(packet, LIST_CONTAINERS, list_containers, &body);
    if (job_call_start(job, policy_door(job), &packet.base, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind != BULKHEAD__POLICYD_TO_ENGINE__BODY_CONTAINER_FOUND) {
            break;
        }
        if ((n_all & (n_all - 1)) == 0) {
            struct policy_found *grown = reallocarray(all, n_all ? n_all * 2 : 1, sizeof *all);
            if (!grown) {
                return bh_error_errno(error, ENOMEM, "list containers");
            }
            all = grown;
        }
        if (read_found(bh_message_body(message), &all[n_all++], error) < 0) {
            return -1;
        }
    }
    *ret_found = bh_steal_pointer(&all);
    *ret_n_found = n_all;
    return 0;
}

int policy_verify_audit(struct job *job, uint64_t *ret_records, struct bh_digest *ret_head, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    Bulkhead__VerifyAudit body = BULKHEAD__VERIFY_AUDIT__INIT;
    PACKET(packet, VERIFY_AUDIT, verify_audit, &body);
    if (job_ask(job, policy_door(job), &packet.base, NULL, 0, REMOVE_MS,
                BULKHEAD__POLICYD_TO_ENGINE__BODY_AUDIT_VERIFIED, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__AuditVerified *verified = bh_message_body(message);
    *ret_records = verified->records;
    return bh_digest_from_bytes(verified->head.data, verified->head.len, ret_head, error);
}
