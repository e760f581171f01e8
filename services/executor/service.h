/* SPDX-License-Identifier: Apache-2.0
 *
 * The executor's side of policyd_executor.proto.
 */
#pragma once

#include "common/service.h"

extern const struct bh_peer executor_peers[];

/* Before the sandbox: opens what only the host's own namespaces show. */
int executor_init(struct bh_service_context *context, struct bh_error *error);
/* In the sandbox: the caches and the monitors' namespaces. */
int executor_start(struct bh_service_context *context, struct bh_error *error);
void executor_stop(struct bh_service_context *context);
