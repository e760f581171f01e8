/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes a container's request and spec anew, after it has been updated.
 */
#pragma once

#include "services/engine/database.h"

int database_change_container(struct database *database, const struct container_row *row,
                              const struct engine_event *event, struct bh_error *error);
