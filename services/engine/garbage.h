/* SPDX-License-Identifier: Apache-2.0
 *
 * Content nobody's image needs any more is deleted from the store. Runs at the start, after images or the last
 * container of a removed image went, and after a pull or load failed. What a pull in flight holds is passed by; whether
 * content is needed is asked again for each digest at the moment it is about to go.
 */
#pragma once

#include "services/engine/database.h"
#include "services/engine/engine.h"

struct garbage;

int garbage_new(struct garbage **ret_garbage, struct bh_error *error);
void garbage_free(struct garbage *garbage);

/* Starts a sweep, or has the one that is running followed by another. */
void garbage_start(struct engine *engine);
/* A container was removed: sweeps if that made an image's content garbage. */
void garbage_after_container(struct engine *engine);
