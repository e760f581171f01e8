/* SPDX-License-Identifier: Apache-2.0
 *
 * See verification.h.
 */
#include "verification.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "engine_policyd.pb-c.h"
#include "policyd.h"

struct verification {
    struct policyd *policyd;
    struct bh_request *request;
    uint64_t size_bytes, records;
    struct bh_digest head;
};

static bool verification_cancelled(void *argument)
{
    return bh_request_cancelled(argument);
}

static void *verify(void *argument)
{
    bh_autofree struct verification *job = argument;
    struct bh_error error = {0};
    int result = audit_verify(job->policyd->audit.fd, job->size_bytes, job->records, &job->head, verification_cancelled,
                              job->request, &error);
    atomic_store(&job->policyd->verifying, false);
    if (result < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "verify the audit log");
        (void)bh_request_fail(job->request, &error);
    } else {
        Bulkhead__AuditVerified verified = BULKHEAD__AUDIT_VERIFIED__INIT;
        verified.records = job->records;
        verified.head = (ProtobufCBinaryData){.len = sizeof(job->head.bytes), .data = job->head.bytes};
        Bulkhead__PolicydToEngine packet = BULKHEAD__POLICYD_TO_ENGINE__INIT;
        packet.body_case = BULKHEAD__POLICYD_TO_ENGINE__BODY_AUDIT_VERIFIED;
        packet.audit_verified = &verified;
        (void)bh_request_reply(job->request, &packet.base, NULL, 0);
    }
    bh_request_unref(job->request);
    return NULL;
}

void verification_handle(struct bh_request *request)
{
    const struct bh_service_context *context = bh_request_owner(request);
    struct policyd *policyd = context->state;
    struct bh_error error;
    if (atomic_exchange(&policyd->verifying, true)) {
        (void)bh_error_set(&error, BH_RESOURCE_EXHAUSTED,
                           "the audit log is being verified already; ask again when that is done");
        (void)bh_request_fail(request, &error);
        return;
    }
    struct verification *job = calloc(1, sizeof(*job));
    pthread_t thread;
    int failed = job ? 0 : ENOMEM;
    if (job) {
        *job = (struct verification){.policyd = policyd,
                                     .request = bh_request_ref(request),
                                     .size_bytes = policyd->audit.size_bytes,
                                     .records = policyd->audit.records,
                                     .head = policyd->audit.head};
        failed = pthread_create(&thread, NULL, verify, job);
    }
    if (!failed) {
        (void)pthread_detach(thread);
        return;
    }
    atomic_store(&policyd->verifying, false);
    (void)bh_error_errno(&error, failed, "verify the audit log");
    (void)bh_request_fail(request, &error);
    if (job) {
        bh_request_unref(job->request);
        free(job);
    }
}
