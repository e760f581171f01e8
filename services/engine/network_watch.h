/* SPDX-License-Identifier: Apache-2.0
 *
 * netd keeps in memory alone what it was told: whenever it is started again, and at the engine's own start, it is told
 * every network and every running container's links, and settles what it finds beside them.
 */
#pragma once

#include "services/engine/engine.h"
#include "services/engine/jobs.h"

void network_watch_begin(struct engine *engine);
