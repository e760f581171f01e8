/* SPDX-License-Identifier: Apache-2.0
 *
 * Raw mode and size of the user's terminal.
 */
#include "terminal.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_make_raw(struct terminal *terminal, struct bh_error *error)
{
    if (!isatty(STDIN_FILENO)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the input device is not a TTY");
    }
    if (tcgetattr(STDIN_FILENO, &terminal->before) < 0) {
        return bh_error_errno(error, errno, "read the terminal's settings");
    }
    struct termios raw = terminal->before;
    cfmakeraw(&raw);
    if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0) {
        return bh_error_errno(error, errno, "put the terminal into raw mode");
    }
    terminal->raw = true;
    return 0;
}

void terminal_restore(struct terminal *terminal)
{
    if (terminal->raw) {
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &terminal->before);
        terminal->raw = false;
    }
}

bool terminal_size(unsigned int *ret_rows, unsigned int *ret_columns)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0) {
        return false;
    }
    *ret_rows = size.ws_row;
    *ret_columns = size.ws_col;
    return true;
}
