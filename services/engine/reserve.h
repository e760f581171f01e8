/* SPDX-License-Identifier: Apache-2.0
 *
 * Room kept free for the database. A container that fills the disk ends, and its end must be written down although the
 * disk is full, or nobody would ever learn of it and remove what fills the disk.
 */
#pragma once

#include "common/error.h"

/* Allocates the reserve in the engine's folder, or as much of it as there is room for: at a start on a full disk there
 * is none, and that is no reason not to start. */
void reserve_take(void);

/* Gives the room back to the file system, for the write that failed for want of it. */
void reserve_release(void);
