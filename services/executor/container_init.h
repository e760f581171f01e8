/* SPDX-License-Identifier: Apache-2.0
 *
 * The container's first process between clone3(2) and its program: see container_init().
 */
#pragma once

#include "launch.h"

/* What the child says if it cannot go on; silence (the pipe closes) means that the program runs. */
struct init_failure {
    struct bh_error error;
};

/* In the child. `go` is read until the id maps are written; `failure` is closed by a successful execve. Never returns.
 */
_Noreturn void container_init(struct launch *launch, int go, int failure);
