/* SPDX-License-Identifier: Apache-2.0
 *
 * `import`: an image of one layer out of a tarball.
 */
#pragma once

#include "services/engine/jobs.h"

int import_image(struct job *job, struct bh_error *error);
