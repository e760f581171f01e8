/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in a layer's archive: made harmless as text, before anything is looked up. Nothing here ever touches a file
 * system.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/limits.h"

/* Bytes of a name that errors show. */
#define LAYER_NAME_SHOWN 200

struct layer_path {
    char text[BH_PATH_BYTES_MAX +
              1]; /* "usr/bin/env": no leading, trailing or double slash, no "." and ".."; "" is the root */
    size_t n_bytes;
};

/* Cleans a name as Docker does (filepath.Clean below the root): a leading slash and "." mean nothing, ".." takes back
 * the component before it. Refuses a name that leads out of the root, components of more than 255 bytes and names of
 * more than 4095. */
int layer_path_clean(const char *name, struct layer_path *ret_path, struct bh_error *error);

enum layer_whiteout {
    LAYER_WHITEOUT_NONE,
    LAYER_WHITEOUT_FILE,    /* ".wh.name": `path` becomes the path of what is hidden */
    LAYER_WHITEOUT_OPAQUE,  /* ".wh..wh..opq": `path` becomes the directory's */
    LAYER_WHITEOUT_IGNORED, /* bookkeeping of AUFS, meaningless outside of it */
};

/* Tells whether a cleaned path is a whiteout (image-spec layer.md, "Whiteouts"), and rewrites it to what it hides.
 * Refuses ".wh." with nothing, "." or ".." behind it, and directories that are named like whiteouts. */
int layer_path_whiteout(struct layer_path *path, enum layer_whiteout *ret_kind, struct bh_error *error);
