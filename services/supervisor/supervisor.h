/* SPDX-License-Identifier: Apache-2.0
 *
 * The supervisor's life: folders, socket, helpers, and what happens when one dies.
 */
#pragma once

#include "common/error.h"
#include "settings.h"

/* Runs until SIGTERM or SIGINT. Helpers are stopped then; containers and their monitors go on. */
int supervisor_run(const struct settings *settings, struct bh_error *error);
