/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging images and containers, and starting the latter; see admission.h.
 */
#include "admission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"
#include "judge.h"
#include "links.h"
#include "networks.h"
#include "relay.h"
#include "spec_check.h"

struct policyd *admission_policyd(const struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    return context->state;
}

static const char *verdict_of(const struct judgement *judgement)
{
    return !judgement->refused ? "allow" : judgement->audit_only ? "audit-only" : "refuse";
}

/* Writes the judgement down. */
int admission_record(struct policyd *policyd, struct audit_record *record, const struct judgement *judgement,
                     struct bh_error *error)
{
    record->verdict = verdict_of(judgement);
    if (judgement->refused) {
        record->rule = rule_name(judgement->rule);
        record->origin = judgement->origin;
        record->reason = judgement->reason;
        bh_log_info("%s %s: %s", record->verdict, record->operation, judgement->reason);
    }
    return audit_append(&policyd->audit, record, error);
}

void admission_invalid(struct policyd *policyd, struct bh_request *request, struct audit_record *record,
                       const struct bh_error *failure)
{
    record->verdict = "invalid";
    record->reason = failure->message;
    struct bh_error error;
    if (audit_append(&policyd->audit, record, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "audit");
    }
    (void)bh_request_fail(request, failure);
}

static void answer_done(struct bh_request *request)
{
    Bulkhead__Done done = BULKHEAD__DONE__INIT;
    Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_DONE;
    packet.done = &done;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}

/* Answers a request that goes no further. */
void admission_answer(struct policyd *policyd, struct bh_request *request, struct audit_record *audit,
                      const struct judgement *judgement)
{
    struct bh_error error;
    if (admission_record(policyd, audit, judgement, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else if (judgement_passes(judgement)) {
        answer_done(request);
    } else {
        (void)bh_error_set(&error, BH_PERMISSION_DENIED, "%s", judgement->reason);
        (void)bh_request_fail(request, &error);
    }
}

/* ---- containers ---------------------------------------------------------------------------------- */

void admission_describe(const struct bh_request *request, const char *operation, const Bulkhead__ContainerSpec *spec,
                        struct audit_record *audit, struct bh_digest *image_digest)
{
    *audit = (struct audit_record){.operation = operation,
                                   .trace = bh_request_trace(request),
                                   .has_tenant = true,
                                   .tenant_uid = spec->tenant_uid,
                                   .container = spec->id.data,
                                   .image = spec->image_reference,
                                   .number = -1};
    if (spec->image_digest.len == BH_DIGEST_BYTES) {
        memcpy(image_digest->bytes, spec->image_digest.data, BH_DIGEST_BYTES);
        audit->image_digest = image_digest;
    }
}

/* Refuses what makes no sense; true if the spec can be judged. */
bool admission_makes_sense(struct policyd *policyd, struct bh_request *request, const char *operation,
                           const Bulkhead__ContainerSpec *spec)
{
    struct bh_error error = {0};
    if (spec_check(spec, &error) == 0) {
        return true;
    }
    struct audit_record audit = {
        .operation = operation, .trace = bh_request_trace(request), .has_tenant = spec != NULL, .number = -1};
    audit.tenant_uid = spec ? spec->tenant_uid : 0;
    admission_invalid(policyd, request, &audit, &error);
    return false;
}

static bool is_foreign(const struct policyd *policyd, const ProtobufCBinaryData *id, uint32_t tenant_uid)
{
    const struct known_container *known = id->len == BH_DIGEST_BYTES ? known_find(&policyd->known, id->data) : NULL;
    return known && known->tenant_uid != tenant_uid;
}

/* `starts`: it is to run now, and not only to be there. */
static void judge(struct policyd *policyd, const Bulkhead__ContainerSpec *spec, bool starts,
                  struct judgement *judgement)
{
    if (is_foreign(policyd, &spec->id, spec->tenant_uid)) {
        judge_owner("start", judgement);
        return;
    }
    /* The executor looks again, in the container's own record. */
    if (is_foreign(policyd, &spec->join_network, spec->tenant_uid) ||
        is_foreign(policyd, &spec->join_ipc, spec->tenant_uid) ||
        is_foreign(policyd, &spec->join_pid, spec->tenant_uid)) {
        judge_owner("share a namespace", judgement);
        return;
    }
    const uint8_t *network = networks_find_foreign(policyd, spec->attachment, spec->tenant_uid);
    if (network) {
        judge_network_owner(network, judgement);
        return;
    }
    struct known_count others = known_count(&policyd->known, spec->tenant_uid, spec->id.data);
    others.running = starts ? others.running : 0;
    judge_container(spec, rule_book_find(&policyd->book, spec->tenant_uid), &others, judgement);
}

void admission_judge(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__JudgeContainer *body = bh_request_body(request);
    if (!admission_makes_sense(policyd, request, "JudgeContainer", body->spec)) {
        return;
    }
    struct audit_record audit;
    struct bh_digest image_digest;
    struct judgement judgement;
    admission_describe(request, "JudgeContainer", body->spec, &audit, &image_digest);
    judge(policyd, body->spec, false, &judgement);
    admission_answer(policyd, request, &audit, &judgement);
}

static void on_started(struct policyd *policyd, const uint8_t id[static 32], const struct bh_message *answer)
{
    (void)answer;
    struct known_container *known = known_find(&policyd->known, id);
    if (known) {
        known->starting = false;
        known->running = true;
    }
}

static void on_not_started(struct policyd *policyd, const uint8_t id[static 32])
{
    struct known_container *known = known_find(&policyd->known, id);
    if (known) { /* its tenant stays known: the executor may have made its folder */
        known->starting = false;
    }
}

static const struct relay_kind start_relay = {
    .reply = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED,
    .fds_min = 1,
    .fds_max = 1,
    .on_answer = on_started,
    .on_failure = on_not_started,
};

static int digest_spec(const Bulkhead__ContainerSpec *spec, struct bh_digest *ret_digest, struct bh_error *error)
{
    size_t n_bytes = bulkhead__container_spec__get_packed_size(spec);
    bh_autofree uint8_t *bytes = malloc(n_bytes + 1);
    if (!bytes) {
        return bh_error_errno(error, ENOMEM, "pack a spec of %zu bytes", n_bytes);
    }
    (void)bulkhead__container_spec__pack(spec, bytes);
    return bh_digest_of(bytes, n_bytes, ret_digest, error);
}

int admission_fill(struct policyd *policyd, const Bulkhead__ContainerSpec *spec, struct admission_filled *ret_filled,
                   struct bh_error *error)
{
    struct range range;
    if (ranges_get(&policyd->ranges, spec->tenant_uid, &range, error) < 0) {
        return -1;
    }
    lsm_labels(&policyd->lsm, spec->id.data, &ret_filled->labels);
    const struct fill_in fill_in = {.id_base = range.id_base,
                                    .monitor_uid = range.monitor_uid,
                                    .cgroup_parent = policyd->context->config->cgroup_parent,
                                    .selinux_label = ret_filled->labels.selinux,
                                    .selinux_mount_label = ret_filled->labels.selinux_mount,
                                    .apparmor_profile = ret_filled->labels.apparmor};
    return judge_fill(spec, rule_book_find(&policyd->book, spec->tenant_uid), &fill_in, &ret_filled->spec, error) < 0
               ? -1
               : digest_spec(&ret_filled->spec.spec, &ret_filled->digest, error);
}

void admission_filled_free(struct admission_filled *filled)
{
    filled_spec_free(&filled->spec);
}

/* Fills in, writes down, passes on. */
static int pass_on(struct policyd *policyd, struct bh_request *request, const struct judgement *judgement,
                   struct audit_record *audit, struct bh_error *error)
{
    const Bulkhead__StartContainer *body = bh_request_body(request);
    const Bulkhead__ContainerSpec *spec = body->spec;
    bh_cleanup(admission_filled_free) struct admission_filled filled = {0};
    if (admission_fill(policyd, spec, &filled, error) < 0) {
        return -1;
    }
    audit->spec = &filled.digest;
    if (admission_record(policyd, audit, judgement, error) < 0) {
        return -1;
    }
    struct known_container *known = known_add(&policyd->known, spec->id.data, spec->tenant_uid);
    if (!known) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "too many containers are known; remove some");
    }
    known->starting = true;
    Bulkhead__StartContainer start = *body;
    start.spec = &filled.spec.spec;
    if (spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) {
        links_start(policyd, request, &start);
        return 0;
    }
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_CONTAINER;
    packet.start_container = &start;
    relay(policyd, request, &packet.base, &start_relay, spec->id.data);
    return 0;
}

static void start(struct policyd *policyd, struct bh_request *request, bool fresh);

static void start_again(struct policyd *policyd, void *argument)
{
    struct bh_request *request = argument;
    start(policyd, request, true);
    bh_request_unref(request);
}

/* `fresh`: what runs was just asked. Before a tenant is told that too much runs, what has ended since is found out. */
static void start(struct policyd *policyd, struct bh_request *request, bool fresh)
{
    const Bulkhead__StartContainer *body = bh_request_body(request);
    struct audit_record audit;
    struct bh_digest image_digest;
    struct judgement judgement;
    struct bh_error error = {0};
    admission_describe(request, "StartContainer", body->spec, &audit, &image_digest);
    judge(policyd, body->spec, true, &judgement);
    if (judgement.refused && judgement.rule == RULE_QUOTAS && !fresh) {
        relay_learn(policyd, start_again, bh_request_ref(request));
        return;
    }
    if (!judgement_passes(&judgement)) {
        admission_answer(policyd, request, &audit, &judgement);
    } else if (pass_on(policyd, request, &judgement, &audit, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void start_known(struct policyd *policyd, void *argument)
{
    struct bh_request *request = argument;
    start(policyd, request, false);
    bh_request_unref(request);
}

void admission_start(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__StartContainer *body = bh_request_body(request);
    if (!admission_makes_sense(policyd, request, "StartContainer", body->spec)) {
        return;
    }
    size_t n_fds = bh_request_message(request)->n_fds;
    if (body->attachments > BH_ATTACHMENTS_MAX || n_fds != 3 * (size_t)body->attachments) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT,
                           "%u attachments came with %zu descriptors; each has 3, at most %d come", body->attachments,
                           n_fds, BH_ATTACHMENTS_MAX);
        (void)bh_request_fail(request, &error);
        return;
    }
    if (networks_are_unknown(policyd, body->spec->attachment)) {
        networks_learn(policyd, start_known, bh_request_ref(request));
    } else {
        start(policyd, request, false);
    }
}
