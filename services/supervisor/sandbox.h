/* SPDX-License-Identifier: Apache-2.0
 *
 * What the supervisor itself keeps; see sandbox.c.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox supervisor_sandbox;
