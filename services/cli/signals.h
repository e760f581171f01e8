/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals while attached to a container: they arrive through a descriptor, and go on to the container.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* Blocks what is to be forwarded (and SIGWINCH) in this thread and those made later, and opens a signalfd for them. The
 * caller owns it. `only_resize`: SIGWINCH alone; the others act on us. */
int signals_open(bool only_resize, int *ret_fd, struct bh_error *error);

/* "TERM", "USR1", or the number where it has no name. Returns `buffer`. */
const char *signals_name(int signal_number, char *buffer, size_t buffer_bytes);
