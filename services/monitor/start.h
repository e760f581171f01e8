/* SPDX-License-Identifier: Apache-2.0
 *
 * The first thing a monitor does: lock itself in with the filter that the executor compiled, then check what it was
 * handed. Everything in the start record comes from the executor; it is validated all the same. (The rest of a
 * monitor's sandbox, ids, capabilities, root, namespaces and limits, is the executor's doing before it executes this
 * program.)
 */
#pragma once

#include "common/error.h"
#include "common/monitor_start.h"

/* Reads the start memfd, installs its filter, and checks the record. *ret_journal_fields holds `journal_bytes` bytes
 * and is the caller's. Signals are blocked from here on: only SIGKILL ends a monitor. */
int monitor_start_take(struct bh_monitor_start *ret_start, char **ret_journal_fields, struct bh_error *error);
