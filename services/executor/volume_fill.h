/* SPDX-License-Identifier: Apache-2.0
 *
 * A volume's first fill: one that is empty gets what the image has at its place. It happens when a container that has
 * the volume is created, so that the next one that mounts it finds the content; a tmpfs, which is gone with the last
 * container that uses it, is filled when it is made.
 */
#pragma once

#include "common/channel.h"
#include "launch.h"

/* FillVolumes: all volumes of a container that is created. Answers later. */
void volume_handle_fill(struct bh_request *request);

/* In a job, that volume; `whole` is its mount, borrowed. Nothing happens if the spec does not want it filled, or it was
 * filled before. */
int volume_fill(const struct launch *launch, const struct operation *operation, int whole, struct bh_error *error);
