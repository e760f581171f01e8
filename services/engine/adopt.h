/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers outlive the engine: at its start (and when policyd was restarted) the engine compares its rows with what
 * the executor finds. What runs is adopted, what died is recorded with its real exit code, half-made things are
 * removed.
 */
#pragma once

#include "services/engine/jobs.h"

struct adoption;

int adoption_new(struct adoption **ret_adoption, struct bh_error *error);
void adoption_free(struct adoption *adoption);

/* Starts (once more) to compare, as a job. */
void adoption_start(struct engine *engine);
/* Compares again in a few seconds: something could not be written down. From any thread. */
void adoption_later(struct engine *engine);
/* Waits until the first comparison is done: before that, what a row says may be yesterday's truth. UNAVAILABLE after a
 * while. */
int adoption_wait(struct job *job, struct bh_error *error);
