/* SPDX-License-Identifier: Apache-2.0
 *
 * One sample of GET /containers/{id}/stats as the numbers that `stats` shows. Pure.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* A row for templates: Container, ID, Name, CPUPerc, MemUsage, MemPerc, NetIO, BlockIO, PIDs. `sample` is NULL before
 * the first one: dashes. `reference` is how the user called it, or its id. */
json_t *container_usage_row(const json_t *sample, const char *reference, bool whole);
