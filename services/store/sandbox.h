/* SPDX-License-Identifier: Apache-2.0
 *
 * What the store and its workers may do; see sandbox.c.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox store_sandbox;
extern const struct bh_worker_sandbox store_intake_sandbox; /* takes in one blob or spool */
extern const struct bh_worker_sandbox store_seal_sandbox;   /* checks and syncs one layer */
