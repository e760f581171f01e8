/* SPDX-License-Identifier: Apache-2.0
 *
 * How the container ended: collects its first process, finds out whether memory ran out, and leaves the exit record
 * (common/monitor_start.h) in the log folder, whole or not at all. The executor and a restarted engine believe that
 * record.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"
#include "common/monitor_start.h"

/* Removes an earlier run's record and reserves the blocks of the next one, so that a disk that fills up later cannot
 * lose the exit code. */
int exit_record_prepare(int logs, struct bh_error *error);

/* Waits for the process behind `pidfd`, which has ended, and fills in the record. */
void exit_record_fill(struct bh_exit_record *record, const struct bh_monitor_start *start, int pidfd, int oom_fd);

/* Writes it to "exit.new" and renames that to "exit", each made durable if `durable`. */
int exit_record_write(const struct bh_exit_record *record, int logs, bool durable, struct bh_error *error);
