/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of policyd about execs, as functions. Blocking; for jobs.
 */
#pragma once

#include "services/engine/policy.h"

/* One exec, by its own id, its container's, and the tenant. */
struct policy_exec {
    const uint8_t *id, *container;
    uint32_t tenant_uid;
};

int policy_judge_exec(struct job *job, const struct policy_exec *exec, Bulkhead__Process *process, bool privileged,
                      struct bh_error *error);
/* As policy_start(). A failure of the program itself has the contexts of common/exec_failure.h. */
int policy_start_exec(struct job *job, const struct policy_exec *exec, Bulkhead__Process *process, bool privileged,
                      uint32_t keep_bytes, const int *streams, size_t n_clients, struct policy_started *ret_started,
                      struct bh_error *error);
int policy_open_exec_monitor(struct job *job, const struct policy_exec *exec, int *ret_monitor, struct bh_error *error);
int policy_signal_exec(struct job *job, const struct policy_exec *exec, uint32_t signal, struct bh_error *error);
/* Only what is said of its end and its process is filled in. */
int policy_inspect_exec(struct job *job, const struct policy_exec *exec, struct policy_found *ret_found,
                        struct bh_error *error);
int policy_remove_exec(struct job *job, const struct policy_exec *exec, struct bh_error *error);
