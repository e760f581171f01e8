/* SPDX-License-Identifier: Apache-2.0
 *
 * Policyd's channels and its life; see service.c.
 */
#pragma once

#include "common/service.h"

extern const struct bh_peer policyd_peers[];

int policyd_init(struct bh_service_context *context, struct bh_error *error);
int policyd_start(struct bh_service_context *context, struct bh_error *error);
void policyd_on_rewired(struct bh_service_context *context, enum bh_role role);
void policyd_on_reload(struct bh_service_context *context);
void policyd_stop(struct bh_service_context *context);
