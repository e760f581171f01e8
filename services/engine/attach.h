/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients on a container's streams and terminal. Descriptors go from the client's api process straight to the
 * container's monitor; the engine never reads one of them.
 */
#pragma once

#include "services/engine/jobs.h"
#include "services/engine/live.h"

int attach_container(struct job *job, struct bh_error *error);
int resize_container(struct job *job, struct bh_error *error);
/* A client of it has pressed its keys: events tell so. */
int detach_container(struct job *job, struct bh_error *error);

/* Hands over clients who attached while the container was being started. */
void attach_latecomers(struct job *job, struct live *live);

/* Resizes the terminal of whatever has that entry: a container or an exec. */
int attach_resize(struct job *job, struct live *live, uint32_t rows, uint32_t columns, struct bh_error *error);
