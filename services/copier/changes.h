/* SPDX-License-Identifier: Apache-2.0
 *
 * `docker diff`: the changes, in messages of many.
 */
#pragma once

#include "engine_copier.pb-c.h"
#include "start.h"

int changes_find(const struct copier *copier, int (*send)(void *argument, Bulkhead__FileChanges *changes),
                 void *argument, struct bh_error *error);
