/* SPDX-License-Identifier: Apache-2.0
 *
 * From a container that runs to a further process in it. Runs in a forked child of the executor, which becomes that
 * process's monitor when all is done, as launch.h does it for a container.
 */
#pragma once

#include "launch.h"

/* The argument is a struct launch with `joins`, `folder` the container's and `container_pidfd`; its `spec` has the
 * exec's id. */
extern const struct job_kind exec_job;
