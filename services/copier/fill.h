/* SPDX-License-Identifier: Apache-2.0
 *
 * A volume's first fill: what the image has where the volume is going to be mounted is copied into it, with owners,
 * modes, attributes and times; the volume's own folder becomes like the image's. Docker's rule: only if the volume is
 * empty, and nothing if the image has no folder there.
 */
#pragma once

#include "start.h"

int fill_volume(const struct copier *copier, struct bh_error *error);
