/* SPDX-License-Identifier: Apache-2.0
 *
 * The copier's one job, as a dispatch table.
 */
#pragma once

#include "start.h"

/* Serves the job channel until its end. */
int service_run(struct copier *copier, struct bh_error *error);
