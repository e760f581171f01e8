/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock on a container's folder: one at a time may have its upper folder mounted. The engine puts operations on a
 * container one after another anyway; this is for what an operation before has not put away yet.
 */
#pragma once

#include "common/error.h"

/* Waits a while for whoever has it. Held until the last copy of the descriptor is closed. FAILED_PRECONDITION if it
 * stays taken. In forked jobs only. */
int lock_folder(int folder, struct bh_error *error);
