/* SPDX-License-Identifier: Apache-2.0
 *
 * How much volumes and the disks of containers hold. A disk and a tmpfs answer by themselves (statfs); a folder is
 * walked by a forked child that has left everything of the host's behind but that folder.
 */
#pragma once

#include "common/channel.h"

/* Handlers of MeasureVolume and MeasureDisk; they answer later. */
void volume_handle_measure(struct bh_request *request);
void disk_handle_measure(struct bh_request *request);
