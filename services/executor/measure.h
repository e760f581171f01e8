/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers of requests that look at containers and at the host, and change nothing: numbers, processes, what the
 * kernel can do. For the dispatch table in service.c.
 */
#pragma once

#include "common/channel.h"

void measure_handle_stats(struct bh_request *request);
void measure_handle_processes(struct bh_request *request);
void measure_handle_kernel(struct bh_request *request);
