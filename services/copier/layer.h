/* SPDX-License-Identifier: Apache-2.0
 *
 * `docker commit`: the changes as an image's layer (image-spec layer.md): a tar of what was added or modified, and a
 * whiteout for all that was deleted. The same changes make the same bytes.
 */
#pragma once

#include "start.h"

int layer_write(const struct copier *copier, int pipe, struct bh_error *error);
