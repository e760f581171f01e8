/* SPDX-License-Identifier: Apache-2.0
 *
 * Serves ChangeContainer of api_engine.proto (Docker's update): limits and the restart policy of a container, running
 * or not.
 */
#pragma once

#include "services/engine/jobs.h"

int change_container(struct job *job, struct bh_error *error);

/* Docker's rules for what may be changed beside what is there: pure. FAILED_PRECONDITION. */
int change_check(const Bulkhead__ChangeContainer *question, const Bulkhead__ContainerRequest *request,
                 struct bh_error *error);
/* Takes every limit that is set in `change` over into `resources`; 2^64-1 pids become 0, which is none. */
int change_merge(const Bulkhead__Resources *change, Bulkhead__Resources *resources, struct bh_error *error);
