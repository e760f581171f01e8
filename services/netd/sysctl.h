/* SPDX-License-Identifier: Apache-2.0
 *
 * The network's switches below /proc/sys/net, by name.
 */
#pragma once

#include "common/error.h"

/* `name` is a path below /proc/sys/net, made of constants and names of links that were looked at. A switch that this
 * kernel does not have is NOT_FOUND. */
int sysctl_read(const char *name, int *ret_value, struct bh_error *error);
int sysctl_write(const char *name, int value, struct bh_error *error);
/* Writes it unless it says so already. */
int sysctl_ensure(const char *name, int value, struct bh_error *error);
