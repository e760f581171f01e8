/* SPDX-License-Identifier: Apache-2.0
 *
 * Health checks of running containers. Each that is due runs as an exec whose monitor keeps the output; nothing waits
 * for it but an entry in a list and one timer on the engine's loop. Bounded for each tenant, so that nobody's checks
 * hold up another's. The state is in the database: an engine that was restarted goes on where it was.
 */
#pragma once

#include "services/engine/database_execs.h"
#include "services/engine/jobs.h"

struct health;

int health_new(struct engine *engine, struct health **ret_health, struct bh_error *error);
void health_free(struct health *health);

/* A container was started: its health is "starting" if it has a check. */
void health_started(struct job *job, const struct container_row *row);
/* It runs already, as an earlier engine knew. */
void health_resumed(struct job *job, const struct container_row *row);
void health_paused(struct engine *engine, const uint8_t *container, bool paused);
/* It ended: nobody checks it any more. */
void health_ended(struct engine *engine, const uint8_t *container);

/* An exec that is a check has ended. `output` may be NULL. */
void health_probed(struct job *job, const struct exec_row *row, int32_t exit_code, int64_t finished_at_ns,
                   const void *output, size_t n_output, bool cut);
