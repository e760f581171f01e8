/* SPDX-License-Identifier: Apache-2.0
 *
 * What registries tell without a pull: what a reference means, and what an index has that matches a word.
 */
#pragma once

#include "services/engine/jobs.h"

int inspect_distribution(struct job *job, struct bh_error *error);
int search_registry(struct job *job, struct bh_error *error);
