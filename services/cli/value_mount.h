/* SPDX-License-Identifier: Apache-2.0
 *
 * The value of --mount.
 */
#pragma once

#include <jansson.h>

#include "common/error.h"

/* "type=bind,source=/a,target=/b,readonly" -> an element of HostConfig.Mounts. A relative source of a bind mount begins
 * in `folder`. */
int value_mount(const char *text, const char *folder, json_t **ret_mount, struct bh_error *error);
