/* SPDX-License-Identifier: Apache-2.0
 *
 * The sandbox tables of all services but the executor: they must all refuse the same things.
 */
#pragma once

#include "common/sandbox.h"

/* Ends with NULL. */
extern const struct bh_sandbox *const tables[];
