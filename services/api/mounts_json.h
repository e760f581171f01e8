/* SPDX-License-Identifier: Apache-2.0
 *
 * Mounts in `ps` and `inspect`: as they are, and, in HostConfig, as the client wrote them.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "json_types.h"

/* "Mounts" of a container. */
void write_mount_points(struct json_writer *writer, Bulkhead__MountPoint *const *points, size_t n_points);
/* "Tmpfs" and "Mounts" of a HostConfig. */
void write_host_tmpfs(struct json_writer *writer, const Bulkhead__ContainerRequest *request);
void write_host_mounts(struct json_writer *writer, const Bulkhead__ContainerRequest *request);
