/* SPDX-License-Identifier: Apache-2.0
 *
 * Pull: from a reference to an image of the tenant's. A name moves only when everything it stands for is whole.
 */
#pragma once

#include "services/engine/jobs.h"

int pull_image(struct job *job, struct bh_error *error);
