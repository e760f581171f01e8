/* SPDX-License-Identifier: Apache-2.0
 *
 * Reaching an engine on another host: the ssh program carries the bytes, and `bulkhead system dial-stdio` over there
 * hands them to the engine's socket. Who may do that is sshd's to say.
 */
#pragma once

#include <stddef.h>

#include "common/error.h"

#define SSH_ARGUMENTS_MAX 20

/* The command line for "ssh://[user@]host[:port][/path/of/socket]". The words are in `buffer`, which the caller frees,
 * or constant. */
struct ssh_command {
    const char *arguments[SSH_ARGUMENTS_MAX + 1]; /* ends with NULL */
    char *buffer;
};
int ssh_command_parse(const char *host, struct ssh_command *ret_command, struct bh_error *error);
void ssh_command_free(struct ssh_command *command);

/* Starts it. *ret_fd is our end of its standard input and output, owned by the caller; ssh ends when that is closed. */
int ssh_connect(const char *host, int *ret_fd, struct bh_error *error);
