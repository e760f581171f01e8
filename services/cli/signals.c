/* SPDX-License-Identifier: Apache-2.0
 *
 * Which signals are forwarded to a container: those that somebody sends on purpose. Stop and continue act on this
 * program, as a person at a shell expects.
 */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH};

int signals_open(bool only_resize, int *ret_fd, struct bh_error *error)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(forwarded) / sizeof(*forwarded); i++) {
        if (!only_resize || forwarded[i] == SIGWINCH) {
            (void)sigaddset(&set, forwarded[i]);
        }
    }
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
        return bh_error_errno(error, errno, "block signals");
    }
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0) {
        return bh_error_errno(error, errno, "open a signalfd");
    }
    *ret_fd = fd;
    return 0;
}

const char *signals_name(int signal_number, char *buffer, size_t buffer_bytes)
{
    const char *name = sigabbrev_np(signal_number);
    if (name) {
        (void)snprintf(buffer, buffer_bytes, "%s", name);
    } else {
        (void)snprintf(buffer, buffer_bytes, "%d", signal_number);
    }
    return buffer;
}
