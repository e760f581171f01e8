/* SPDX-License-Identifier: Apache-2.0
 *
 * What the executor may touch, as one table.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox executor_sandbox;
extern const struct bh_worker_sandbox
    executor_top_sandbox; /* copies what the kernel tells of a container's processes */
