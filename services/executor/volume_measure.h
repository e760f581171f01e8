/* SPDX-License-Identifier: Apache-2.0
 *
 * How much volumes hold. A disk, a project and a tmpfs answer by themselves (statfs); a folder is
 * walked by a forked child that has left everything of the host's behind but that folder.
 */
#pragma once

#include "common/channel.h"

/* Handler of MeasureVolume; it answers later. */
void volume_handle_measure(struct bh_request *request);
