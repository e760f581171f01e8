/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fetcher and its workers may touch.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox fetcher_sandbox;
extern const struct bh_worker_sandbox fetcher_worker_sandbox;
