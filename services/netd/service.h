/* SPDX-License-Identifier: Apache-2.0
 *
 * netd's channel and life, for main.c.
 */
#pragma once

#include "common/service.h"

extern const struct bh_peer netd_peers[];

int netd_init(struct bh_service_context *context, struct bh_error *error);
int netd_start(struct bh_service_context *context, struct bh_error *error);
void netd_stop(struct bh_service_context *context);
