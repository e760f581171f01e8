/* SPDX-License-Identifier: Apache-2.0
 *
 * Which extended attributes travel with a file: the user's own, file capabilities, ACLs. What speaks to the kernel's
 * security modules or to overlayfs never does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

bool attribute_travels(const char *name);

/* Calls `each` for every attribute of an open file that travels, in the order of their names. A file system without
 * any is no error. */
int attributes_read(int fd, void (*each)(void *argument, const char *name, const void *value, size_t n_bytes),
                    void *argument, struct bh_error *error);

/* Sets one on an open file. What the file system does not have, or the container may not set, is passed over, as Docker
 * does. */
int attribute_set(int fd, const char *name, const void *value, size_t n_bytes, struct bh_error *error);
