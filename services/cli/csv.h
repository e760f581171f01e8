/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of comma-separated fields, as --mount, --network, --publish and --gpus take them: a field in double quotes
 * may hold commas, and a doubled quote in it is one.
 */
#pragma once

#include "string_list.h"

/* Appends copies of the fields. */
int csv_split(const char *text, struct strings *fields, struct bh_error *error);
