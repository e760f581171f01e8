/* SPDX-License-Identifier: Apache-2.0
 *
 * A container and a volume as lists show them, in the files of their families: `system df` lists them, too.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/json_write.h"

void write_container_summary(struct json_writer *writer, const Bulkhead__ContainerSummary *container, int64_t now_ns);
void write_volume(struct json_writer *writer, const Bulkhead__VolumeDetails *volume);
