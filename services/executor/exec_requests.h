/* SPDX-License-Identifier: Apache-2.0
 *
 * The handlers of requests about execs, for the dispatch table in service.c.
 */
#pragma once

#include "common/channel.h"

void exec_handle_start(struct bh_request *request);
void exec_handle_open_monitor(struct bh_request *request);
void exec_handle_signal(struct bh_request *request);
void exec_handle_inspect(struct bh_request *request);
void exec_handle_remove(struct bh_request *request);
