/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's restart policies: whether a container that has ended is started again, and when. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "services/engine/database.h"

#define RESTART_WAIT_FIRST_MS 100U                  /* Docker's, doubled from one restart to the next ... */
#define RESTART_WAIT_MAX_MS   60000U                /* ... up to a minute ... */
#define RESTART_RAN_WELL_NS   (10LL * 1000000000LL) /* ... and back to the first after a run of ten seconds */

/* `request` has the policy, `state` how it ended and what was before. False: it stays as it is. True: *ret_wait_ms is
 * how long from now. */
bool restart_wanted(const Bulkhead__ContainerRequest *request, const struct container_state *state,
                    uint32_t *ret_wait_ms);

/* Whether a policy starts a container that has ended when the host has booted: `always` does, whoever stopped it. */
bool restart_wanted_after_boot(const Bulkhead__ContainerRequest *request, const struct container_state *state);
