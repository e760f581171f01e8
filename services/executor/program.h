/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding and executing the container's program, inside the container, as its user. Errors in the words that Docker's
 * clients look for: NOT_FOUND becomes exit code 127, PERMISSION_DENIED 126.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"

/* Looks args[0] up in the PATH of `env` as execvp(3) does, and checks that it may be executed. *ret_path is owned. The
 * file `device`, `inode` (our own program) is refused whatever name leads to it. */
int program_find(const char *name, char *const *env, uint64_t device, uint64_t inode, char **ret_path,
                 struct bh_error *error);
/* Only returns to say why not. */
int program_execute(const char *path, char *const *args, char *const *env, struct bh_error *error);
