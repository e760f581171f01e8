/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions to policyd about volumes; see policy.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/policy.h"

#define PACKET(name, kind, field, body)                                                                                \
    Bulkhead__EngineToPolicyd name = BULKHEAD__ENGINE_TO_POLICYD__INIT;                                                \
    name.body_case = BULKHEAD__ENGINE_TO_POLICYD__BODY_##kind;                                                         \
    name.field = (body)
#define VOLUME(volume, bytes, uid)                                                                                     \
    Bulkhead__VolumeId volume = BULKHEAD__VOLUME_ID__INIT;                                                             \
    volume.id = (ProtobufCBinaryData){.len = ENGINE_ID_BYTES, .data = (uint8_t *)(uintptr_t)(bytes)};                  \
    volume.tenant_uid = (uid)

/* A worker counts for a minute of processor time at most; the disk below may be slow. */
#define MEASURE_MS 300000U
#define FILL_MS    BH_DEADLINE_JOB_MS

static struct bh_channel *door(const struct job *job)
{
    return bh_service_peer(job->engine->context, BH_ROLE_POLICYD);
}

int policy_make_volume(struct job *job, const struct volume_row *row, const struct volume_plan *plan,
                       struct bh_error *error)
{
    VOLUME(volume, row->id, row->tenant_uid);
    Bulkhead__MakeVolume body = BULKHEAD__MAKE_VOLUME__INIT;
    body.volume = &volume;
    body.kind = plan->kind;
    body.size_bytes = plan->size_bytes;
    body.source = (char *)(uintptr_t)plan->source;
    body.name = (char *)(uintptr_t)row->name;
    PACKET(packet, MAKE_VOLUME, make_volume, &body);
    return job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_fill_volumes(struct job *job, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__FillVolumes body = BULKHEAD__FILL_VOLUMES__INIT;
    body.spec = spec;
    PACKET(packet, FILL_VOLUMES, fill_volumes, &body);
    return job_ask(job, door(job), &packet.base, NULL, 0, FILL_MS, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_drop_volume(struct job *job, const struct volume_row *row, struct bh_error *error)
{
    VOLUME(volume, row->id, row->tenant_uid);
    Bulkhead__DropVolume body = BULKHEAD__DROP_VOLUME__INIT;
    body.volume = &volume;
    body.name = (char *)(uintptr_t)row->name;
    PACKET(packet, DROP_VOLUME, drop_volume, &body);
    return job_ask_again(job, door(job), &packet.base, BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE, NULL, error);
}

int policy_measure_volume(struct job *job, const struct volume_row *row, uint64_t *ret_used, uint64_t *ret_limit,
                          struct bh_error *error)
{
    VOLUME(volume, row->id, row->tenant_uid);
    Bulkhead__MeasureVolume body = BULKHEAD__MEASURE_VOLUME__INIT;
    body.volume = &volume;
    PACKET(packet, MEASURE_VOLUME, measure_volume, &body);
    bh_automessage struct bh_message *message = NULL;
    if (job_ask(job, door(job), &packet.base, NULL, 0, MEASURE_MS, BULKHEAD__POLICYD_TO_ENGINE__BODY_DISK_MEASURED,
                &message, error) < 0) {
        return -1;
    }
    const Bulkhead__DiskMeasured *measured = bh_message_body(message);
    *ret_used = measured->used_bytes;
    *ret_limit = measured->limit_bytes;
    return 0;
}

static int read_found(const Bulkhead__VolumeFound *found, struct policy_volume *ret_found, struct bh_error *error)
{
    if (!found->volume || found->volume->id.len != ENGINE_ID_BYTES) {
        return bh_error_set(error, BH_INTERNAL, "the executor found a volume without an id");
    }
    ret_found->tenant_uid = found->volume->tenant_uid;
    memcpy(ret_found->id, found->volume->id.data, ENGINE_ID_BYTES);
    return 0;
}

int policy_list_volumes(struct job *job, struct policy_volume **ret_found, size_t *ret_n_found, struct bh_error *error)
{
    job_call_auto struct job_call call = {0};
    bh_autofree struct policy_volume *all = NULL;
    size_t n_all = 0;
    Bulkhead__ListMadeVolumes body = BULKHEAD__LIST_MADE_VOLUMES__INIT;
    PACKET(packet, LIST_MADE_VOLUMES, list_made_volumes, &body);
    if (job_call_start(job, door(job), &packet.base, NULL, 0, 0, &call, error) < 0) {
        return -1;
    }
    for (;;) {
        bh_automessage struct bh_message *message = NULL;
        if (job_call_next(&call, &message, error) < 0) {
            return -1;
        }
        if (message->kind != BULKHEAD__POLICYD_TO_ENGINE__BODY_VOLUME_FOUND) {
            break;
        }
        if ((n_all & (n_all - 1)) == 0) {
            struct policy_volume *grown = reallocarray(all, n_all ? n_all * 2 : 1, sizeof *all);
            if (!grown) {
                return bh_error_errno(error, ENOMEM, "list volumes");
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
