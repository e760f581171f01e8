/* SPDX-License-Identifier: Apache-2.0
 *
 * One event as Docker's clients read it. Pure.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

void write_event(struct json_writer *writer, const Bulkhead__Event *event);
