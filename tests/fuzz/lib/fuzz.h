/* SPDX-License-Identifier: Apache-2.0
 *
 * What fuzz targets share. A target's own allocations and calls on files never fail; those of the code under test can
 * be made to: with BULKHEAD_STARVE=N in the environment each input is run again and again, each time with another one
 * failing, N times at most. Memory is limited in every sandbox, so that somebody who sends much can have it run out
 * anywhere; and disks fill.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Ends the process for what must never be. If something was made to fail in this run, that may be why: then it ends
 * the run. */
_Noreturn void fuzz_wrong(void);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n_bytes);
