/* SPDX-License-Identifier: Apache-2.0
 *
 * Further processes in a running container, Docker's exec. Each is confined like the container's first one, by the spec
 * that lies in the container's record, and has a monitor and a folder of its own:
 *   containers/ID/execs/EXEC/   record, monitor.sock; root's
 *   containers/ID/execs/EXEC/end/   its exit record; its monitor's
 * so that it outlives every helper, and its end is known to whoever asks later.
 */
#pragma once

#include "executor.h"
#include "policyd_executor.pb-c.h"
#include "running.h"

#define EXECS_NAME "execs"

/* StartExec: answers the request later, or fails now. */
int start_exec(struct executor *executor, struct bh_request *request, const Bulkhead__StartExec *message,
               struct bh_error *error);

/* Opens what is there of one: `folder` and `logs` are its own, `name` and the cgroup its container's. NOT_FOUND if it
 * was never started, or its container is another tenant's. Closed by running_close(), also after an error. */
int exec_open(const struct executor *executor, const Bulkhead__ExecId *exec, struct running *ret_running,
              struct bh_error *error);

/* Removes what is left of one that has ended, in the background. */
int exec_remove(const struct executor *executor, const Bulkhead__ExecId *exec, struct bh_error *error);
