/* SPDX-License-Identifier: Apache-2.0
 *
 * What the handlers of all features share: whose executor it is, and the plain answers.
 */
#pragma once

#include "common/channel.h"
#include "executor.h"

struct executor *answer_executor(const struct bh_request *request);

void answer_done(struct bh_request *request);
/* Done, or the error. */
void answer_result(struct bh_request *request, int result, const struct bh_error *error);
/* MonitorOpened with a connection, which stays the caller's. */
void answer_monitor(struct bh_request *request, int fd);

/* INVALID_ARGUMENT unless it is a signal's number. */
int answer_check_signal(uint32_t number, struct bh_error *error);
