/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests that rules are about: images, container specs, their start. Each decision is in the audit log before
 * anything is passed on; if it cannot be written there, nothing is.
 */
#pragma once

#include "audit.h"
#include "judge.h"
#include "lsm.h"
#include "policyd.h"

void admission_judge(struct bh_request *request);
void admission_start(struct bh_request *request);

/* admission_image.c: images and registries. */
void admission_image(struct bh_request *request);
void admission_push(struct bh_request *request);
void admission_layers(struct bh_request *request);
void admission_transfer(struct bh_request *request);

/* admission_exec.c: processes that join a container. */
void admission_judge_exec(struct bh_request *request);
void admission_start_exec(struct bh_request *request);

/* admission_copier.c: processes that read or write a container's files. */
void admission_open_copier(struct bh_request *request);
void admission_fill_volumes(struct bh_request *request);

/* ---- what these files share -------------------------------------------------------------------------- */

struct policyd *admission_policyd(const struct bh_request *request);
/* Writes a judgement down. */
int admission_record(struct policyd *policyd, struct audit_record *record, const struct judgement *judgement,
                     struct bh_error *error);
/* Writes down, and answers, that a request makes no sense. */
void admission_invalid(struct policyd *policyd, struct bh_request *request, struct audit_record *record,
                       const struct bh_error *failure);
/* Answers a request that goes no further. */
void admission_answer(struct policyd *policyd, struct bh_request *request, struct audit_record *audit,
                      const struct judgement *judgement);
/* What the audit log says of a container. */
void admission_describe(const struct bh_request *request, const char *operation, const Bulkhead__ContainerSpec *spec,
                        struct audit_record *audit, struct bh_digest *image_digest);
/* Refuses what makes no sense; true if the spec can be judged. */
bool admission_makes_sense(struct policyd *policyd, struct bh_request *request, const char *operation,
                           const Bulkhead__ContainerSpec *spec);

/* A spec as the executor gets it: what the tenant may not choose is filled in. */
struct admission_filled {
    struct filled_spec spec; /* borrows from the original, and from `labels` */
    struct lsm_labels labels;
    struct bh_digest digest; /* of all of it, for the audit log */
};
int admission_fill(struct policyd *policyd, const Bulkhead__ContainerSpec *spec, struct admission_filled *ret_filled,
                   struct bh_error *error);
void admission_filled_free(struct admission_filled *filled);
