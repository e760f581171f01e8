/* SPDX-License-Identifier: Apache-2.0
 *
 * Containers come, are renamed, and go. Each function serves one message of api_engine.proto.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/jobs.h"
#include "services/engine/live.h"

int create_container(struct job *job, struct bh_error *error);
int rename_container(struct job *job, struct bh_error *error);
int delete_container(struct job *job, struct bh_error *error);

/* Removes a container that does not run: what the executor kept, then its row, then those who waited for that are told.
 * The caller holds its lock. A failure leaves it DEAD, and removable again. */
int container_remove(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error);

bool container_runs(const struct container_state *state);      /* running or paused */
bool container_is_active(const struct container_state *state); /* or about to be started again by its policy */
