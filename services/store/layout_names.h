/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the layout share: how files in layers/ are named and read. For layout*.c only.
 */
#pragma once

#include <stdbool.h>

#include "layout.h"

#define LAYOUT_RECORD_SUFFIX    ".meta"
#define LAYOUT_RECORD_NAME_SIZE (BH_DIGEST_HEX_SIZE + sizeof(LAYOUT_RECORD_SUFFIX) - 1)

/* "<64 hex>.meta", written to `buffer`. */
const char *layout_record_name(const char *layer, char buffer[static LAYOUT_RECORD_NAME_SIZE]);

/* The record of the layer `hex`. NOT_FOUND if layer or record is not there, DATA_LOSS if they do not belong together.
 */
int layout_read_layer(int folder, const char *hex, struct layer_record *ret_record, struct bh_error *error);

/* What a name in a folder is. */
enum layout_entry { LAYOUT_ENTRY_FOREIGN, LAYOUT_ENTRY_DIGEST, LAYOUT_ENTRY_RECORD };

/* A name found in a folder: 64 lower-case hex digits, with or without ".meta", or foreign. */
enum layout_entry layout_classify(const char *name, struct bh_digest *ret_digest);

/* Calls `visit` for every name in the folder but "." and "..". What it removes meanwhile is no problem. */
typedef int (*layout_visit)(const char *name, void *argument, struct bh_error *error);
int layout_each(int folder, const char *what, layout_visit visit, void *argument, struct bh_error *error);
