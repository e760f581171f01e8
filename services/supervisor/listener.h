/* SPDX-License-Identifier: Apache-2.0
 *
 * The API's socket: handed over by systemd, or made here.
 */
#pragma once

#include "settings.h"

/* *ret_fd is a listening, non-blocking unix stream socket. Uses the first descriptor of LISTEN_FDS (sd_listen_fds(3))
 * if there is one, and binds settings->socket otherwise (*ret_made tells). */
int listener_open(const struct settings *settings, int *ret_fd, bool *ret_made, struct bh_error *error);

/* sd_notify(3): one datagram to NOTIFY_SOCKET, if the variable is set. */
void notify_service_manager(const char *state);
