/* SPDX-License-Identifier: Apache-2.0
 *
 * Serves GetStats and GetProcesses of api_engine.proto: a container's numbers and its processes.
 */
#pragma once

#include "services/engine/jobs.h"

/* However many clients watch a container, it is sampled once a second at most. */
int get_stats(struct job *job, struct bh_error *error);
int get_processes(struct job *job, struct bh_error *error);
