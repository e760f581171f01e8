/* SPDX-License-Identifier: Apache-2.0
 *
 * Load: from an archive of images (docker save, OCI layout) to images of the tenant's.
 */
#pragma once

#include "services/engine/jobs.h"

int load_images(struct job *job, struct bh_error *error);
