/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine asks of policyd about networks, who judges and passes it on to netd (engine_policyd.proto). Blocking;
 * for jobs.
 */
#pragma once

#include "services/engine/database_endpoints.h"
#include "services/engine/policy.h"

/* Makes it in the kernel, or finds it made. ALREADY_EXISTS: a subnet overlaps with a route of the host's. */
int policy_make_network(struct job *job, const struct network_row *row, struct bh_error *error);
int policy_drop_network(struct job *job, const struct network_row *row, struct bh_error *error);
/* Links a container that runs: all its endpoints and ports, those that are there already among them. The answer is
 * ContainerConnected. NOT_FOUND or FAILED_PRECONDITION: it has ended. */
int policy_connect(struct job *job, const struct container_row *row, Bulkhead__Attachment *attachment,
                   struct bh_message **ret_connected, struct bh_error *error);
/* Takes these endpoints away; absent is no error. */
int policy_disconnect(struct job *job, const uint8_t *id, uint32_t tenant_uid, const struct endpoint_row *rows,
                      size_t n_rows, struct bh_error *error);
/* NetworksChecked. */
int policy_check_networks(struct job *job, struct bh_message **ret_checked, struct bh_error *error);
int policy_settle_networks(struct job *job, struct bh_error *error);
/* Returns once netd has been started more than `generation` times. */
int policy_await_netd(struct job *job, uint64_t generation, uint64_t *ret_generation, struct bh_error *error);
