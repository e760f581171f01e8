/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients of `wait`. They cost a list entry each and no thread, for they may wait for weeks. Thread-safe.
 */
#pragma once

#include <stdint.h>

#include "services/engine/jobs.h"

struct waiters;

int waiters_new(struct waiters **ret_waiters, struct bh_error *error);
/* Answers those who still wait UNAVAILABLE. */
void waiters_free(struct waiters *waiters);

/* WaitContainer. Answers WaitStarted at once, and Waited when the condition is met. */
int wait_container(struct job *job, struct bh_error *error);

/* Lists a request for whatever has that id, and tells its client so (WaitStarted), in one step: no end can come
 * between.
 */
int waiters_add(struct waiters *waiters, struct bh_request *request, const uint8_t *id,
                Bulkhead__WaitCondition condition, struct bh_error *error);
/* Answers one that still waits: it has ended before it was listed. */
void waiters_answer(struct waiters *waiters, const struct bh_request *request, int32_t exit_code, const char *problem);

/* The container ended, or was removed; its exit code and what went wrong, if anything did. */
void waiters_exited(struct waiters *waiters, const uint8_t *id, int32_t exit_code, const char *problem);
void waiters_removed(struct waiters *waiters, const uint8_t *id, int32_t exit_code, const char *problem);
/* The client went away. */
void waiters_drop(struct waiters *waiters, struct bh_request *request);
