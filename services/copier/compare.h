/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container changed of its image, by comparing its own layer (overlayfs' upper folder) with the image below:
 * what `docker diff` lists and `docker commit` packs. Docker's rules: a folder counts as modified if something in it
 * changed or its own mode or owner did, whatever its time; the mount points that every container gets are no change.
 *
 * Whether a folder of the layer hides all that the image has there (overlayfs' "opaque" mark) is an attribute that no
 * container's root may read. It is seen instead: names that only the image has are in the container's own view of that
 * folder, or they are not.
 */
#pragma once

#include "start.h"
#include "tree.h"

enum change_kind { CHANGE_MODIFIED = 1, CHANGE_ADDED, CHANGE_DELETED };

struct change {
    enum change_kind kind;
    const char *path;          /* without a slash at its beginning */
    int folder;                /* of the layer; `name` lies in it (unless it was deleted) */
    const char *name;          /* NULL: `folder` is the changed folder itself */
    const struct stat *status; /* NULL for a deleted one, and for a folder itself */
};

/* Calls `tell` for each change, a folder before what is in it. */
int compare_layer(const struct copier *copier,
                  int (*tell)(void *argument, const struct change *change, struct bh_error *error), void *argument,
                  struct bh_error *error);

/* Whether two files are the same as far as can be told without reading them. */
bool compare_same(const struct stat *before, const struct stat *now);
/* Whether this is one of the mount points that containers get, and nothing but that. */
bool compare_is_mount_point(const char *path, const struct stat *status);
