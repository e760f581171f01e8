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

void write_networks(struct json_writer *writer, const char *network_mode)
{
    static const char *const empty[] = {"MacAddress", "NetworkID", "EndpointID", "Gateway", "IPAddress"};
    write_object(writer, "Networks");
    if (strncmp(network_mode, "container:", sizeof("container:") - 1) == 0) { /* the other's are not told as its own */
        write_object_end(writer);
        return;
    }
    write_object(writer, strcmp(network_mode, "host") == 0 ? "host" : "none");
    write_null(writer, "IPAMConfig");
    write_null(writer, "Links");
    write_null(writer, "Aliases");
    write_null(writer, "DriverOpts");
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        write_string(writer, empty[i], "");
    }
    write_int(writer, "IPPrefixLen", 0);
    write_string(writer, "IPv6Gateway", "");
    write_string(writer, "GlobalIPv6Address", "");
    write_int(writer, "GlobalIPv6PrefixLen", 0);
    write_null(writer, "DNSNames");
    write_object_end(writer);
    write_object_end(writer);
}
