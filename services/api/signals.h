/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of signals as Docker's clients write them.
 */
#pragma once

#include <stdbool.h>

/* Whether "SIGTERM", "term", "15" or "RTMIN+3" names a signal. */
bool signal_is_known(const char *text);
