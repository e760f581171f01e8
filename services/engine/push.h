/* SPDX-License-Identifier: Apache-2.0
 *
 * Push: an image of the tenant's to the registry that its name says, tag by tag. A tag is put last, so that in the
 * registry, too, a name only ever means something whole.
 */
#pragma once

#include "services/engine/jobs.h"

int push_image(struct job *job, struct bh_error *error);
