/* SPDX-License-Identifier: Apache-2.0
 *
 * When to try again. Pure.
 */
#pragma once

#include <stdint.h>

#define RETRY_DELAY_FIRST_MS 400U
#define RETRY_DELAY_MAX_MS   8000U

/* How long to wait before try number `attempt` + 1 (the first try is 1): doubles from RETRY_DELAY_FIRST_MS up to
 * RETRY_DELAY_MAX_MS, plus up to half of it by `random`, so that many clients do not come back at once; never less than
 * the server's own Retry-After. */
uint64_t retry_delay_ms(unsigned attempt, unsigned retry_after_s, uint32_t random);
