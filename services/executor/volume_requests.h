/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests about volumes: rows of the dispatch table in service.c.
 */
#pragma once

#include "common/channel.h"

void volume_handle_make(struct bh_request *request);
void volume_handle_drop(struct bh_request *request);
void volume_handle_list(struct bh_request *request);
