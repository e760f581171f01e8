/* SPDX-License-Identifier: Apache-2.0
 *
 * Freezing and thawing a container. What forks faster than the kernel freezes may take a second to give up on, so that
 * a forked job waits for it, and nobody else's requests do.
 */
#pragma once

#include "running.h"

/* Answers the request with Done, or with DEADLINE_EXCEEDED if its processes do not freeze (it is thawed again then).
 * -1: not begun, and the caller answers. */
int freeze_container(struct executor *executor, const struct running *running, bool frozen, struct bh_request *request,
                     struct bh_error *error);
