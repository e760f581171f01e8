/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs: descriptors of the log files, and of a monitor that says when they grow, pass from the executor to the client's
 * api process.
 */
#pragma once

#include "services/engine/jobs.h"

int read_logs(struct job *job, struct bh_error *error);
