/* SPDX-License-Identifier: Apache-2.0
 *
 * Copiers, and volumes' first fill by one. The executor may have to mount everything that the container's spec names,
 * so that it is judged as for a start, and filled in by the same hand; only how many containers run is no question
 * here, for none is started.
 */
#include "admission.h"
#include "common/cleanup.h"
#include "engine_policyd.pb-c.h"
#include "relay.h"

static const struct relay_kind copier_relay = {.reply = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_COPIER_OPENED};
static const struct relay_kind fill_relay = {.reply = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_DONE};

static void judge(const struct policyd *policyd, const Bulkhead__ContainerSpec *spec, struct judgement *judgement)
{
    const struct known_container *known = known_find(&policyd->known, spec->id.data);
    if (known && known->tenant_uid != spec->tenant_uid) {
        judge_owner("open a copier", judgement);
    } else {
        struct known_count others = known_count(&policyd->known, spec->tenant_uid, spec->id.data);
        others.running = 0;
        judge_container(spec, rule_book_find(&policyd->book, spec->tenant_uid), &others, judgement);
    }
}

static int pass_on(struct policyd *policyd, struct bh_request *request, const struct judgement *judgement,
                   struct audit_record *audit, struct bh_error *error)
{
    Bulkhead__OpenCopier open = *(const Bulkhead__OpenCopier *)bh_request_body(request);
    bh_cleanup(admission_filled_free) struct admission_filled filled = {0};
    if (admission_fill(policyd, open.spec, &filled, error) < 0) {
        return -1;
    }
    audit->spec = &filled.digest;
    /* Measuring happens for each line of a list, and shows nothing but a number: it is written down if it is refused.
     */
    bool quiet = open.view == BULKHEAD__COPIER_VIEW__COPIER_VIEW_SIZE && !judgement->refused;
    if (!quiet && admission_record(policyd, audit, judgement, error) < 0) {
        return -1;
    }
    if (!known_add(&policyd->known, open.spec->id.data, open.spec->tenant_uid)) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many containers are known; remove some");
    }
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    const uint8_t *id = open.spec->id.data;
    open.spec = &filled.spec.spec;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_OPEN_COPIER;
    packet.open_copier = &open;
    relay(policyd, request, &packet.base, &copier_relay, id);
    return 0;
}

void admission_open_copier(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__OpenCopier *body = bh_request_body(request);
    struct audit_record audit;
    struct bh_digest image_digest;
    struct judgement judgement;
    struct bh_error error = {0};
    if (!admission_makes_sense(policyd, request, "OpenCopier", body->spec)) {
        return;
    }
    admission_describe(request, "OpenCopier", body->spec, &audit, &image_digest);
    audit.number = (int64_t)body->view;
    judge(policyd, body->spec, &judgement);
    if (!judgement_passes(&judgement)) {
        admission_answer(policyd, request, &audit, &judgement);
    } else if (pass_on(policyd, request, &judgement, &audit, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

/* ---- volumes ------------------------------------------------------------------------------------------ */

static int pass_on_fill(struct policyd *policyd, struct bh_request *request, const struct judgement *judgement,
                        struct audit_record *audit, struct bh_error *error)
{
    Bulkhead__FillVolumes fill = *(const Bulkhead__FillVolumes *)bh_request_body(request);
    bh_cleanup(admission_filled_free) struct admission_filled filled = {0};
    if (admission_fill(policyd, fill.spec, &filled, error) < 0) {
        return -1;
    }
    audit->spec = &filled.digest;
    if (admission_record(policyd, audit, judgement, error) < 0) {
        return -1;
    }
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    fill.spec = &filled.spec.spec;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_FILL_VOLUMES;
    packet.fill_volumes = &fill;
    relay(policyd, request, &packet.base, &fill_relay,
          NULL); /* the container may never come to be: it is not known yet */
    return 0;
}

void admission_fill_volumes(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__FillVolumes *body = bh_request_body(request);
    struct audit_record audit;
    struct bh_digest image_digest;
    struct judgement judgement;
    struct bh_error error = {0};
    if (!admission_makes_sense(policyd, request, "FillVolumes", body->spec)) {
        return;
    }
    admission_describe(request, "FillVolumes", body->spec, &audit, &image_digest);
    judge(policyd, body->spec, &judgement);
    if (!judgement_passes(&judgement)) {
        admission_answer(policyd, request, &audit, &judgement);
    } else if (pass_on_fill(policyd, request, &judgement, &audit, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}
