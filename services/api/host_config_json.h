/* SPDX-License-Identifier: Apache-2.0
 *
 * HostConfig as inspect shows it, from the request that was kept.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

void write_host_config(struct json_writer *writer, const Bulkhead__ContainerRequest *request, const char *name);
