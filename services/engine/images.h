/* SPDX-License-Identifier: Apache-2.0
 *
 * Images and their names: list, inspect, tag, delete, with Docker's rules and words.
 */
#pragma once

#include "services/engine/jobs.h"

int list_images(struct job *job, struct bh_error *error);
int inspect_image(struct job *job, struct bh_error *error);
int tag_image(struct job *job, struct bh_error *error);
int delete_image(struct job *job, struct bh_error *error);
