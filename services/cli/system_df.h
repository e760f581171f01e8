/* SPDX-License-Identifier: Apache-2.0
 *
 * What GET /system/df answers, in sums and in full.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "common/error.h"

/* One row each for images, containers, volumes and the build cache. */
int system_df_summary(const json_t *usage, json_t **ret_rows, struct bh_error *error);
/* A table of each kind. */
int system_df_print_verbose(const json_t *usage, FILE *stream, struct bh_error *error);
