/* SPDX-License-Identifier: Apache-2.0
 *
 * Exponential back-off with jitter; see retry.h.
 */
#include "retry.h"

uint64_t retry_delay_ms(unsigned attempt, unsigned retry_after_s, uint32_t random)
{
    uint64_t delay_ms = RETRY_DELAY_FIRST_MS;
    for (unsigned i = 1; i < attempt && delay_ms < RETRY_DELAY_MAX_MS; i++) {
        delay_ms *= 2;
    }
    if (delay_ms > RETRY_DELAY_MAX_MS) {
        delay_ms = RETRY_DELAY_MAX_MS;
    }
    delay_ms += random % (delay_ms / 2 + 1);
    uint64_t asked_ms = 1000ULL * retry_after_s;
    return asked_ms > delay_ms ? asked_ms : delay_ms;
}
