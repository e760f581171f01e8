/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes of a container, for `top`. Their names and command lines are the container's own bytes: a worker
 * without any privilege copies the kernel's files about them into a memory file, and neither it nor the executor reads
 * what they say. The api of the tenant does.
 *
 * The memory file is a row of records: struct processes_record, then `stat_bytes` of /proc/PID/stat, `status_bytes` of
 * /proc/PID/status and `command_bytes` of /proc/PID/cmdline. The first record has pid 0, and /proc/stat and
 * /proc/uptime in the first two places.
 */
#pragma once

#include "common/process_record.h"
#include "executor.h"
#include "running.h"

extern const struct job_kind processes_job;

/* Starts the worker, which answers `request`. */
int processes_list(struct executor *executor, const struct running *running, struct bh_request *request,
                   struct bh_error *error);

/* In the worker: the host's procfs becomes the root, and it nobody, with only the calls that copying takes. For good.
 */
int processes_give_up(uint32_t uid, struct bh_error *error);
