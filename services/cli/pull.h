/* SPDX-License-Identifier: Apache-2.0
 *
 * Pulling an image, for `pull` itself and for run and create where the image is not here yet.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "engine.h"

/* Pulls `reference` (latest, if it says no tag or digest) and shows the progress on `stream` unless `quiet`. `platform`
 * may be NULL. */
int pull_image(struct engine *engine, const char *reference, const char *platform, bool quiet, FILE *stream,
               struct bh_error *error);
