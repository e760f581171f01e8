/* SPDX-License-Identifier: Apache-2.0
 *
 * The one table that says which HTTP status an error becomes.
 */
#pragma once

#include "common/error.h"

int status_of_error(const struct bh_error *error);
