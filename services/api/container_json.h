/* SPDX-License-Identifier: Apache-2.0
 *
 * Parts of a container's JSON that listing and inspecting share.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

/* "created", "running", "paused", "exited", "removing", "dead". */
const char *container_status_word(Bulkhead__ContainerStatus status);
/* "starting", "healthy", "unhealthy". */
const char *health_status_word(Bulkhead__HealthStatus status);
