/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container's log driver is told: the client's options, the labels and variables it wants beside each line, and
 * the names that are known only when it starts. Pure; called by the merge and by the start.
 */
#pragma once

#include "api_engine.pb-c.h"
#include "common/error.h"

/* Sets `spec->log`. The spec's own environment is merged already. A label or variable that does not exist is none, as
 * in Docker. RESOURCE_EXHAUSTED beyond BH_LOG_ATTRIBUTES_MAX of them. */
int log_options_merge(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                      Bulkhead__ContainerSpec *spec, struct bh_error *error);

/* Fills in the container's name as it is now, and what the tag's template stands for: {{.ID}}, {{.FullID}}, {{.Name}},
 * {{.ImageID}}, {{.ImageFullID}}, {{.ImageName}}, {{.DaemonName}}. INVALID_ARGUMENT for anything else in braces. */
int log_options_name(Bulkhead__ContainerSpec *spec, const char *name, struct bh_error *error);

/* Checks a template without filling it in. */
int log_options_check_tag(const char *tag, struct bh_error *error);
