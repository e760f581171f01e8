/* SPDX-License-Identifier: Apache-2.0
 *
 * Restart policies as a pure function: who is started again, and after how long.
 */
#include <criterion/criterion.h>

#include "services/engine/restart_policy.h"

#define TEXT(text) ((char *)(uintptr_t)(text))
#define SECOND     1000000000LL

static bool wanted(const char *policy, uint32_t retries, int32_t exit_code, uint32_t restarts, enum stop_asked asked)
{
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    const struct container_state state = {.exit_code = exit_code, .restart_count = restarts, .stop_asked = asked};
    uint32_t wait_ms = 0;
    request.restart_policy = TEXT(policy);
    request.restart_retries = retries;
    return restart_wanted(&request, &state, &wait_ms);
}

Test(restart, by_policy_and_end)
{
    cr_assert_not(wanted("no", 0, 1, 0, STOP_NOT_ASKED));
    cr_assert_not(wanted("", 0, 1, 0, STOP_NOT_ASKED));
    cr_assert(wanted("always", 0, 0, 0, STOP_NOT_ASKED));
    cr_assert(wanted("always", 0, 1, 1000, STOP_BY_SIGNAL));
    cr_assert_not(wanted("always", 0, 1, 0, STOP_ASKED));
    cr_assert(wanted("unless-stopped", 0, 0, 0, STOP_NOT_ASKED));
    cr_assert_not(wanted("unless-stopped", 0, 0, 0, STOP_BY_SIGNAL));
    cr_assert_not(wanted("unless-stopped", 0, 0, 0, STOP_ASKED));
    cr_assert_not(wanted("on-failure", 0, 0, 0, STOP_NOT_ASKED));
    cr_assert(wanted("on-failure", 0, 1, 1000000, STOP_NOT_ASKED));
    cr_assert(wanted("on-failure", 3, 1, 2, STOP_NOT_ASKED));
    cr_assert_not(wanted("on-failure", 3, 1, 3, STOP_NOT_ASKED));
    cr_assert_not(wanted("on-failure", 3, 1, 0, STOP_ASKED));
}

Test(restart, waits_double_up_to_a_minute_and_begin_anew_after_a_good_run)
{
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    struct container_state state = {.started_at_ns = 1000 * SECOND, .finished_at_ns = 1000 * SECOND + 1};
    static const uint32_t waits[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000};
    request.restart_policy = TEXT("always");
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        cr_assert(restart_wanted(&request, &state, &state.restart_wait_ms));
        cr_assert_eq(state.restart_wait_ms, waits[i], "wait %zu", i);
    }
    state.finished_at_ns = state.started_at_ns + 10 * SECOND - 1;
    cr_assert(restart_wanted(&request, &state, &state.restart_wait_ms));
    cr_assert_eq(state.restart_wait_ms, 60000);
    state.finished_at_ns = state.started_at_ns + 10 * SECOND;
    cr_assert(restart_wanted(&request, &state, &state.restart_wait_ms));
    cr_assert_eq(state.restart_wait_ms, 100);
}

Test(restart, after_a_boot_always_starts_what_was_stopped)
{
    Bulkhead__ContainerRequest request = BULKHEAD__CONTAINER_REQUEST__INIT;
    struct container_state state = {.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED,
                                    .started_at_ns = SECOND,
                                    .stop_asked = STOP_ASKED};
    request.restart_policy = TEXT("always");
    cr_assert(restart_wanted_after_boot(&request, &state));
    request.restart_policy = TEXT("unless-stopped");
    cr_assert_not(restart_wanted_after_boot(&request, &state));
    request.restart_policy = TEXT("always");
    state.started_at_ns = 0;
    cr_assert_not(restart_wanted_after_boot(&request, &state), "never started");
}
