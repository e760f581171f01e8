/* SPDX-License-Identifier: Apache-2.0
 *
 * CommitContainer: a container's own layer becomes the newest of an image. A copier packs it, and from there it goes
 * the way of any layer: hashed and stored, read by an extractor's worker, sealed.
 */
#pragma once

#include "services/engine/jobs.h"

int commit_container(struct job *job, struct bh_error *error);
