/* SPDX-License-Identifier: Apache-2.0
 *
 * What list.c and inspect.c tell of a container in the same way.
 */
#pragma once

#include "common/cleanup.h"
#include "services/engine/database.h"
#include "services/engine/jobs.h"

/* Borrows the row. */
Bulkhead__ContainerState container_state_message(struct container_row *row);

void container_health_cleanup(Bulkhead__Health **health);
#define health_auto bh_cleanup(container_health_cleanup)
/* NULL if nobody checks it. One that was never started is "starting", as with Docker. `image` may be NULL. */
int container_health_read(struct job *job, const struct container_row *row, const Bulkhead__ImageConfig *image,
                          Bulkhead__Health **ret_health, struct bh_error *error);

/* What it takes: its own layer is measured, its image's are known. */
int container_measure(struct job *job, const struct container_row *row, const struct image_row *image,
                      Bulkhead__ContainerSize *ret_size, struct bh_error *error);
