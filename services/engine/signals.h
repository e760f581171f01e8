/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of signals, as Docker's clients write them: "SIGTERM", "term", "15", "SIGRTMIN+3". Pure.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* 1..64. INVALID_ARGUMENT in Docker's words for anything else. */
int signal_parse(const char *text, uint32_t *ret_signal, struct bh_error *error);
