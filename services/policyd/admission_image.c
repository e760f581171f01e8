/* SPDX-License-Identifier: Apache-2.0
 *
 * Images, by the registry that their name says they come from or go to; see admission.h.
 */
#include "admission.h"

#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/reference.h"
#include "engine_policyd.pb-c.h"

/* An image under a name, which says what registry it comes from or goes to. */
struct named_image {
    const char *operation;
    uint32_t tenant_uid;
    char *reference;
    const ProtobufCBinaryData *digest; /* NULL: not known yet */
    uint32_t under_way;                /* pulls and pushes of the tenant, if this is one more */
};

static void admit(struct bh_request *request, const struct named_image *image)
{
    struct policyd *policyd = admission_policyd(request);
    struct bh_error error = {0};
    struct bh_reference reference;
    struct bh_digest digest;
    struct audit_record audit = {.operation = image->operation,
                                 .trace = bh_request_trace(request),
                                 .has_tenant = true,
                                 .tenant_uid = image->tenant_uid,
                                 .image = image->reference,
                                 .number = -1};
    if (strlen(image->reference) > BH_REFERENCE_BYTES_MAX) {
        audit.image = NULL;
        (void)bh_error_set(&error, BH_INVALID_ARGUMENT, "an image reference is longer than %d bytes",
                           BH_REFERENCE_BYTES_MAX);
        admission_invalid(policyd, request, &audit, &error);
        return;
    }
    if (bh_reference_parse(image->reference, &reference, &error) < 0 ||
        (image->digest && bh_digest_from_bytes(image->digest->data, image->digest->len, &digest, &error) < 0)) {
        admission_invalid(policyd, request, &audit, &error);
        return;
    }
    audit.image_digest = image->digest ? &digest : NULL;
    char name[sizeof(reference.domain) + sizeof(reference.repository) + 1];
    (void)snprintf(name, sizeof(name), "%s/%s", reference.domain, reference.repository);
    struct judgement judgement;
    const struct rules *rules = rule_book_find(&policyd->book, image->tenant_uid);
    judge_image(name, rules, &judgement);
    if (!judgement.refused && !image->digest) {
        judge_transfers(image->under_way, rules, &judgement);
    }
    admission_answer(policyd, request, &audit, &judgement);
}

void admission_image(struct bh_request *request)
{
    const Bulkhead__AdmitImage *body = bh_request_body(request);
    const struct named_image image = {"AdmitImage", body->tenant_uid, body->reference, &body->manifest_digest, 0};
    admit(request, &image);
}

void admission_push(struct bh_request *request)
{
    const Bulkhead__AdmitPush *body = bh_request_body(request);
    const struct named_image image = {"AdmitPush", body->tenant_uid, body->reference, &body->image, 0};
    admit(request, &image);
}

void admission_layers(struct bh_request *request)
{
    const Bulkhead__AdmitLayers *body = bh_request_body(request);
    struct policyd *policyd = admission_policyd(request);
    struct audit_record audit = {.operation = "AdmitLayers",
                                 .trace = bh_request_trace(request),
                                 .has_tenant = true,
                                 .tenant_uid = body->tenant_uid,
                                 .number = (int64_t)(body->more_bytes > INT64_MAX ? INT64_MAX : body->more_bytes)};
    struct judgement judgement;
    judge_image_bytes(body->held_bytes, body->more_bytes, rule_book_find(&policyd->book, body->tenant_uid), &judgement);
    admission_answer(policyd, request, &audit, &judgement);
}

void admission_transfer(struct bh_request *request)
{
    const Bulkhead__AdmitTransfer *body = bh_request_body(request);
    const struct named_image image = {"AdmitTransfer", body->tenant_uid, body->reference, NULL, body->under_way};
    admit(request, &image);
}
