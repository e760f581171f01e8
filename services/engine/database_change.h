/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a container's request and spec anew, after it has been updated.
 */
#pragma once

#include "services/engine/database.h"

/* The request alone: other networks were asked for. `durable`: it survives a power cut. */
int database_change_request(struct database *database, const uint8_t *id, const Bulkhead__ContainerRequest *request,
                            bool durable, struct bh_error *error);

int database_change_container(struct database *database, const struct container_row *row,
                              const struct engine_event *event, struct bh_error *error);
