/* SPDX-License-Identifier: Apache-2.0
 *
 * "Are you sure?", for what cannot be undone.
 */
#pragma once

#include <stdbool.h>

/* Prints `warning` and asks on standard output. True for y; anything else, and the end of
 * input, is no. */
bool confirm(const char *warning);
