/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of common/sandbox: what a process sees as "/".
 */
#pragma once

#include "common/sandbox.h"

/* In a mount namespace of its own: replaces the whole tree with what the sandbox's `root` and `views` say, read-only
 * (but for BH_ROOT_FOLDER), nosuid, nodev, noexec. */
int bh_sandbox_change_root(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context,
                           struct bh_error *error);
