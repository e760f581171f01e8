/* SPDX-License-Identifier: Apache-2.0
 *
 * A container runs, pauses, and ends. Starting holds the container's lock; signals do not, so that `kill` and `rm -f`
 * reach one whose `stop` is still waiting.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"
#include "services/engine/live.h"

int run_container(struct job *job, struct bh_error *error); /* RunContainer */
int stop_container(struct job *job, struct bh_error *error);
int kill_container(struct job *job, struct bh_error *error);
int restart_container(struct job *job, struct bh_error *error);
int pause_container(struct job *job, struct bh_error *error);

/* Starts a container that does not run. The caller holds its lock. A failure is written into its row, unless it is
 * UNAVAILABLE: then a container that waits to be started again goes on waiting. */
int lifecycle_start(struct job *job, struct container_row *row, struct live *live, struct bh_error *error);

/* As `stop` and `restart` do it, with the container's own signal and timeout. */
int lifecycle_stop(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error);
int lifecycle_restart(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error);
/* SIGKILL, and waits until its end is recorded. */
int lifecycle_kill(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error);
