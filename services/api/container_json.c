/* SPDX-License-Identifier: Apache-2.0
 *
 * See container_json.h.
 */
#include "container_json.h"

#include <string.h>

const char *health_status_word(Bulkhead__HealthStatus status)
{
    static const char *const words[] = {"none", "starting", "healthy", "unhealthy"};
    return (size_t)status < sizeof(words) / sizeof(words[0]) ? words[status] : words[0];
}

const char *container_status_word(Bulkhead__ContainerStatus status)
{
    static const char *const words[] = {
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_CREATED] = "created",
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING] = "running",
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED] = "paused",
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED] = "exited",
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING] = "removing",
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD] = "dead",
        [BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING] = "restarting",
    };
    size_t index = (size_t)status;
    return index < sizeof(words) / sizeof(words[0]) && words[index] ? words[index] : "created";
}
