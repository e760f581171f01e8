/* SPDX-License-Identifier: Apache-2.0
 *
 * See restart_policy.h.
 */
#include "services/engine/restart_policy.h"

#include <string.h>

static bool policy_wants(const Bulkhead__ContainerRequest *request, const struct container_state *state)
{
    if (state->stop_asked == STOP_ASKED) {
        return false;
    }
    if (strcmp(request->restart_policy, "always") == 0) {
        return true;
    }
    if (strcmp(request->restart_policy, "unless-stopped") == 0) {
        return state->stop_asked == STOP_NOT_ASKED;
    }
    return strcmp(request->restart_policy, "on-failure") == 0 && state->exit_code != 0 &&
           (request->restart_retries == 0 || state->restart_count < request->restart_retries);
}

static uint32_t next_wait_ms(const struct container_state *state)
{
    const bool ran_well =
        state->started_at_ns > 0 && state->finished_at_ns - state->started_at_ns >= RESTART_RAN_WELL_NS;
    if (ran_well || state->restart_wait_ms == 0) {
        return RESTART_WAIT_FIRST_MS;
    }
    return state->restart_wait_ms < RESTART_WAIT_MAX_MS / 2 ? state->restart_wait_ms * 2 : RESTART_WAIT_MAX_MS;
}

bool restart_wanted(const Bulkhead__ContainerRequest *request, const struct container_state *state,
                    uint32_t *ret_wait_ms)
{
    if (!policy_wants(request, state)) {
        return false;
    }
    *ret_wait_ms = next_wait_ms(state);
    return true;
}

bool restart_wanted_after_boot(const Bulkhead__ContainerRequest *request, const struct container_state *state)
{
    return state->status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED && state->started_at_ns > 0 &&
           strcmp(request->restart_policy, "always") == 0;
}
