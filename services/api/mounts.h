/* SPDX-License-Identifier: Apache-2.0
 *
 * Form of paths in mounts. The readers of HostConfig's fields are declared in create.h with all other rows.
 */
#pragma once

#include <stddef.h>

/* The lexically clean form of an absolute path: no doubled or trailing slash, no ".". -1 if it is relative, has a ".."
 * or does not fit. The result is never opened here. */
int clean_path(const char *text, char *ret_path, size_t path_bytes);
