/* SPDX-License-Identifier: Apache-2.0
 *
 * Volumes at the one door; see volumes.h.
 */
#include "volumes.h"

#include "engine_policyd.pb-c.h"
#include "judge.h"
#include "relay.h"
#include "spec_check.h"

#define DONE BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE

static const struct relay_kind done_relay = {.reply = DONE};

static struct policyd *policyd_of(const struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    return context->state;
}

static int check_named(const Bulkhead__VolumeId *volume, const char *name, struct bh_error *error)
{
    if (!volume || volume->id.len != BH_DIGEST_BYTES || volume->tenant_uid == UINT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a volume is named by an id of 32 bytes and its tenant");
    }
    return spec_is_volume_name(name) ? 0
                                     : bh_error_set(error, BH_INVALID_ARGUMENT,
                                                    "volume name \"%.100s\" must be letters, digits and _.-", name);
}

static int check_make(const Bulkhead__MakeVolume *body, struct bh_error *error)
{
    bool bind = body->kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_BIND;
    if (check_named(body->volume, body->name, error) < 0) {
        return -1;
    }
    if (body->id_base || body->most) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a volume's owner and the tenant's quota are policyd's to fill in; leave them empty");
    }
    if (bind ? !spec_is_clean_path(body->source) : body->source[0] != '\0') {
        return bh_error_set(
            error, BH_INVALID_ARGUMENT,
            "volume source \"%.200s\" must be an absolute path without . or .. if the volume stands for a "
            "folder of the host, and else empty",
            body->source);
    }
    return (body->kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK) == (body->size_bytes > 0)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "a volume that is a disk has a size, and no other has");
}

static int write_down(struct policyd *policyd, const struct bh_request *request, const char *operation,
                      const Bulkhead__VolumeId *volume, const char *name, const struct judgement *judgement,
                      struct bh_error *error)
{
    const struct audit_record record = {
        .operation = operation,
        .verdict = !judgement->refused     ? "allow"
                   : judgement->audit_only ? "audit-only"
                                           : "refuse",
        .trace = bh_request_trace(request),
        .has_tenant = true,
        .tenant_uid = volume->tenant_uid,
        .volume = name,
        .rule = judgement->refused ? rule_name(judgement->rule) : NULL,
        .origin = judgement->refused ? judgement->origin : NULL,
        .reason = judgement->refused ? judgement->reason : NULL,
        .number = -1,
    };
    return audit_append(&policyd->audit, &record, error);
}

/* Judges, writes down, fills in, passes on. */
static int make(struct policyd *policyd, struct bh_request *request, const Bulkhead__MakeVolume *body,
                struct bh_error *error)
{
    struct judgement judgement;
    struct range range;
    const struct rules *rules = rule_book_find(&policyd->book, body->volume->tenant_uid);
    judge_volume(body, rules, &judgement);
    if (write_down(policyd, request, "MakeVolume", body->volume, body->name, &judgement, error) < 0) {
        return -1;
    }
    if (!judgement_passes(&judgement)) {
        return bh_error_set(error, BH_PERMISSION_DENIED, "%s", judgement.reason);
    }
    if (ranges_get(&policyd->ranges, body->volume->tenant_uid, &range, error) < 0) {
        return -1;
    }
    Bulkhead__MakeVolume filled = *body;
    filled.id_base = range.id_base;
    if (filled.kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_FOLDER && rules->quotas.disk_bytes) {
        filled.kind = BULKHEAD__VOLUME_KIND__VOLUME_KIND_DISK;
        filled.size_bytes = rules->quotas.disk_bytes;
    }
    filled.most = rules->audit_only ? 0 : (uint32_t)rules->quotas.volumes;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_MAKE_VOLUME;
    packet.make_volume = &filled;
    relay(policyd, request, &packet.base, &done_relay, NULL);
    return 0;
}

void volumes_make(struct bh_request *request)
{
    const Bulkhead__MakeVolume *body = bh_request_body(request);
    struct bh_error error = {0};
    if (check_make(body, &error) < 0 || make(policyd_of(request), request, body, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

void volumes_drop(struct bh_request *request)
{
    struct policyd *policyd = policyd_of(request);
    const Bulkhead__DropVolume *body = bh_request_body(request);
    const struct judgement allowed = {0};
    struct bh_error error = {0};
    if (check_named(body->volume, body->name, &error) < 0 ||
        write_down(policyd, request, "DropVolume", body->volume, body->name, &allowed, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    Bulkhead__DropVolume copy = *body;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_DROP_VOLUME;
    packet.drop_volume = &copy;
    relay(policyd, request, &packet.base, &done_relay, NULL);
}

void volumes_list(struct bh_request *request)
{
    static const struct relay_kind kind = {.reply = DONE, .progress = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_VOLUME_FOUND};
    Bulkhead__ListMadeVolumes list = BULKHEAD__LIST_MADE_VOLUMES__INIT;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_LIST_MADE_VOLUMES;
    packet.list_made_volumes = &list;
    relay(policyd_of(request), request, &packet.base, &kind, NULL);
}

static const struct relay_kind measured_relay = {.reply = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DISK_MEASURED};

void volumes_measure(struct bh_request *request)
{
    struct policyd *policyd = policyd_of(request);
    Bulkhead__MeasureVolume body = *(const Bulkhead__MeasureVolume *)bh_request_body(request);
    struct range range;
    struct bh_error error = {0};
    if (!body.volume || body.volume->id.len != BH_DIGEST_BYTES || body.volume->tenant_uid == UINT32_MAX ||
        body.id_base) {
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT,
                           "a volume to measure is named by an id of 32 bytes and its tenant alone");
        (void)bh_request_fail(request, &error);
        return;
    }
    if (ranges_get(&policyd->ranges, body.volume->tenant_uid, &range, &error) < 0) {
        (void)bh_request_fail(request, &error);
        return;
    }
    body.id_base = range.id_base;
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_MEASURE_VOLUME;
    packet.measure_volume = &body;
    relay(policyd, request, &packet.base, &measured_relay, NULL);
}
