/* SPDX-License-Identifier: Apache-2.0
 *
 * StartContainer in the executor itself: everything that uses its caches, before the launch is forked.
 */
#pragma once

#include "executor.h"

/* Validates, collects layers and filters, plans, and forks the launch, which answers the request. */
int start_container(struct executor *executor, struct bh_request *request, const Bulkhead__StartContainer *message,
                    struct bh_error *error);
