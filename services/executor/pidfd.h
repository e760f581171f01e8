/* SPDX-License-Identifier: Apache-2.0
 *
 * Processes by descriptor.
 */
#pragma once

#include <stdbool.h>

/* Whether it has ended, waited for or not. What was found out by its number before is about it if it has not. */
bool pidfd_has_ended(int pidfd);
