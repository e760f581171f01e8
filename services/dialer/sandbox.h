/* SPDX-License-Identifier: Apache-2.0
 *
 * What the dialer and its workers may touch.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox dialer_sandbox;
extern const struct bh_worker_sandbox dialer_worker_sandbox;
