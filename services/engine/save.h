/* SPDX-License-Identifier: Apache-2.0
 *
 * `save`: images as one archive that docker, podman, skopeo and umoci read.
 */
#pragma once

#include "services/engine/jobs.h"

int save_images(struct job *job, struct bh_error *error);
