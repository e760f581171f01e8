/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers that wait to be started again by their policy. The rows say which and when, so that a new engine goes on
 * where the last one was: one timer looks for those whose time has come.
 */
#pragma once

#include "services/engine/jobs.h"
#include "services/engine/live.h"

/* Looks in a while, or at once, for containers whose time has come. From any thread. */
void restarts_look_in(struct engine *engine, uint32_t wait_ms);

/* At the engine's start, once containers are adopted: those that wait go on waiting; after a new boot of the host,
 * `always` starts what it finds stopped. */
void restarts_resume(struct job *job);

/* A client wants it to stay stopped: one that waits to be started again is stopped from here on. 1 if it was one, 0 if
 * it is not waiting. */
int restarts_give_up(struct job *job, struct live *live, const uint8_t *id, struct bh_error *error);
