/* SPDX-License-Identifier: Apache-2.0
 *
 * The dialer's channels and life, for main.c.
 */
#pragma once

#include "common/service.h"

extern const struct bh_peer dialer_peers[];

/* Reads insecure_registries and private_registries; an entry that is neither host, host:port nor network stops the
 * start. */
int dialer_start(struct bh_service_context *context, struct bh_error *error);
void dialer_stop(struct bh_service_context *context);
