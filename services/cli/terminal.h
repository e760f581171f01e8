/* SPDX-License-Identifier: Apache-2.0
 *
 * The user's terminal, for containers with a tty: raw mode and size.
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

#include "common/cleanup.h"
#include "common/error.h"

/* All zero: nothing to restore. */
struct terminal {
    bool raw;
    struct termios before;
};

/* Puts standard input into raw mode; terminal_restore() undoes it. Not a terminal is an error in Docker's words. */
int terminal_make_raw(struct terminal *terminal, struct bh_error *error);
void terminal_restore(struct terminal *terminal);
#define terminal_auto bh_cleanup(terminal_restore)

/* False if standard output is no terminal. */
bool terminal_size(unsigned int *ret_rows, unsigned int *ret_columns);
