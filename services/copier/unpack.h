/* SPDX-License-Identifier: Apache-2.0
 *
 * A tar into a container: `docker cp` to it. The archive is the client's and the tree the container's, both hostile;
 * neither can name anything but files inside.
 */
#pragma once

#include <stdbool.h>

#include "common/error.h"

struct unpack {
    int root;                      /* the container's */
    const char *path;              /* a folder of it, or a link to one */
    bool no_overwrite_dir_non_dir; /* Docker's option: a folder is not replaced by a file, nor the other way round */
    bool owner_set;                /* everything is to belong to uid:gid */
    unsigned int uid, gid;
};

/* Reads the archive from `source` to its end. NOT_FOUND with ENOENT: no such path. INVALID_ARGUMENT: the path is no
 * folder, or the archive is none, or names what cannot be. PERMISSION_DENIED: it is mounted read-only. */
int unpack(const struct unpack *unpack, int source, struct bh_error *error);
