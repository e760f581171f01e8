/* SPDX-License-Identifier: Apache-2.0
 *
 * What the executor may touch, as one table.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox executor_sandbox;
