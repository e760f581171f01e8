/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of containers: lists and details.
 */
#pragma once

#include "services/engine/jobs.h"

int list_containers(struct job *job, struct bh_error *error);
int look_up_container(struct job *job, struct bh_error *error);
