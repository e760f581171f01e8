/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes that join a running container. What they may is their container's, which was judged when it was started and
 * lies in the executor's record; what is new, and judged here, is whose container it is and whether more is asked for.
 */
#include <errno.h>
#include <stdlib.h>

#include "admission.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "engine_policyd.pb-c.h"
#include "relay.h"
#include "spec_check.h"

static int check(const Bulkhead__ExecSpec *spec, struct bh_error *error)
{
    const Bulkhead__ExecId *exec = spec ? spec->exec : NULL;
    if (!exec || exec->id.len != BH_DIGEST_BYTES || !exec->container || exec->container->id.len != BH_DIGEST_BYTES ||
        exec->container->tenant_uid == UINT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "an exec is named by an id of 32 bytes, its container's, and its tenant");
    }
    if (spec_check_process(spec->process, error) < 0) {
        return -1;
    }
    if (spec->keep_bytes > BH_KEPT_OUTPUT_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "of an exec's output %d bytes are kept at most",
                            BH_KEPT_OUTPUT_MAX);
    }
    return spec->process->n_groups > 0
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "the groups of an exec are its container's; leave them empty")
               : 0;
}

/* Refuses what makes no sense; true if the spec can be judged. */
static bool makes_sense(struct policyd *policyd, struct bh_request *request, const char *operation,
                        const Bulkhead__ExecSpec *spec)
{
    struct bh_error error = {0};
    if (check(spec, &error) == 0) {
        return true;
    }
    struct audit_record audit = {.operation = operation, .trace = bh_request_trace(request), .number = -1};
    admission_invalid(policyd, request, &audit, &error);
    return false;
}

static void judge(struct policyd *policyd, const struct bh_request *request, const char *operation,
                  const Bulkhead__ExecSpec *spec, struct audit_record *audit, struct judgement *judgement)
{
    const Bulkhead__ContainerId *container = spec->exec->container;
    const struct known_container *known = known_find(&policyd->known, container->id.data);
    *audit = (struct audit_record){.operation = operation,
                                   .trace = bh_request_trace(request),
                                   .has_tenant = true,
                                   .tenant_uid = container->tenant_uid,
                                   .container = container->id.data,
                                   .number = -1};
    *judgement = (struct judgement){0};
    if (known && known->tenant_uid != container->tenant_uid) {
        judge_owner(operation, judgement);
    } else {
        judge_exec(spec, rule_book_find(&policyd->book, container->tenant_uid), judgement);
    }
}

void admission_judge_exec(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__JudgeExec *body = bh_request_body(request);
    struct audit_record audit;
    struct judgement judgement;
    if (makes_sense(policyd, request, "JudgeExec", body->spec)) {
        judge(policyd, request, "JudgeExec", body->spec, &audit, &judgement);
        admission_answer(policyd, request, &audit, &judgement);
    }
}

static int digest_spec(const Bulkhead__ExecSpec *spec, struct bh_digest *ret_digest, struct bh_error *error)
{
    size_t n_bytes = bulkhead__exec_spec__get_packed_size(spec);
    bh_autofree uint8_t *bytes = malloc(n_bytes + 1);
    if (!bytes) {
        return bh_error_errno(error, ENOMEM, "pack a spec of %zu bytes", n_bytes);
    }
    (void)bulkhead__exec_spec__pack(spec, bytes);
    return bh_digest_of(bytes, n_bytes, ret_digest, error);
}

static void pass_on(struct policyd *policyd, struct bh_request *request, struct audit_record *audit,
                    const struct judgement *judgement)
{
    static const struct relay_kind kind = {
        .reply = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED, .fds_min = 1, .fds_max = 1};
    Bulkhead__StartExec start = *(const Bulkhead__StartExec *)bh_request_body(request);
    Bulkhead__PolicydToExecutor packet = BULKHEAD__POLICYD_TO_EXECUTOR__INIT;
    struct bh_digest digest;
    struct bh_error error;
    if (digest_spec(start.spec, &digest, &error) == 0) {
        audit->spec = &digest;
        if (admission_record(policyd, audit, judgement, &error) == 0) {
            packet.body_case = BULKHEAD__POLICYD_TO_EXECUTOR__BODY_START_EXEC;
            packet.start_exec = &start;
            relay(policyd, request, &packet.base, &kind, NULL);
            return;
        }
    }
    (void)bh_request_fail(request, &error);
}

void admission_start_exec(struct bh_request *request)
{
    struct policyd *policyd = admission_policyd(request);
    const Bulkhead__StartExec *body = bh_request_body(request);
    size_t n_fds = bh_request_message(request)->n_fds;
    struct audit_record audit;
    struct judgement judgement;
    if (!makes_sense(policyd, request, "StartExec", body->spec)) {
        return;
    }
    if (body->attachments > BH_ATTACHMENTS_MAX || n_fds != 3 * (size_t)body->attachments) {
        struct bh_error error;
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT,
                           "%u attachments came with %zu descriptors; each has 3, at most %d come", body->attachments,
                           n_fds, BH_ATTACHMENTS_MAX);
        (void)bh_request_fail(request, &error);
        return;
    }
    judge(policyd, request, "StartExec", body->spec, &audit, &judgement);
    if (judgement_passes(&judgement)) {
        pass_on(policyd, request, &audit, &judgement);
    } else {
        admission_answer(policyd, request, &audit, &judgement);
    }
}
