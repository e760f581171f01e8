/* SPDX-License-Identifier: Apache-2.0
 *
 * Policyd's sandbox; see sandbox.c.
 */
#pragma once

#include "common/sandbox.h"

extern const struct bh_sandbox policyd_sandbox;
