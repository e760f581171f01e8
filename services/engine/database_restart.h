/* SPDX-License-Identifier: Apache-2.0
 *
 * What the database keeps for restart policies: which containers wait to be started again, whether a client asked one
 * to stop, and the host's boot.
 */
#pragma once

#include "services/engine/database.h"

int database_set_stop_asked(struct database *database, const uint8_t *id, enum stop_asked asked,
                            struct bh_error *error);

/* The run that began at state->started_at_ns has ended, and state->status is what it is now: written only if the row
 * says that it runs, and that clients have asked of it what `state->stop_asked` says. 1 written, 0 not. */
int database_set_ended(struct database *database, const uint8_t *id, const struct container_state *state,
                       const struct engine_event *event, struct bh_error *error);

/* It does not run and will be started again at state->restart_at_ns: written only if what clients asked of it is still
 * `state->stop_asked`. 1 written, 0 not. */
int database_set_restarting(struct database *database, const uint8_t *id, const struct container_state *state,
                            const struct engine_event *event, struct bh_error *error);

/* One that waits to be started again. */
struct restart_due {
    uint8_t id[ENGINE_ID_BYTES];
    int64_t at_ns;
};
/* All of them, soonest first; the array is the caller's. */
int database_restarting(struct database *database, struct restart_due **ret_due, size_t *ret_n_due,
                        struct bh_error *error);

/* Notes the host's boot. *ret_new: the engine last ran in another one. */
int database_note_boot(struct database *database, const char *boot_id, bool *ret_new, struct bh_error *error);
