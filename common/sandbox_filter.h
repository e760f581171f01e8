/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of common/sandbox: from lists of system calls to a filter in force.
 */
#pragma once

#include "common/sandbox.h"

/* Loads an allow-list filter: the groups, the single calls of `also` (NULL-terminated or 24 long), and for the groups
 * that need it rules on arguments. Everything else fails with EPERM (clone3 with ENOSYS, so that the C library falls
 * back to clone). */
int bh_sandbox_load_filter(const enum bh_syscalls *groups, const char *const *also, struct bh_error *error);

/* How many system calls such a filter allows on this processor, those of which it allows only some uses included. */
int bh_sandbox_count_syscalls(const enum bh_syscalls *groups, const char *const *also, size_t *ret_count,
                              struct bh_error *error);
