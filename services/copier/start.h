/* SPDX-License-Identifier: Apache-2.0
 *
 * From a program that root executed to one that is locked into a container. Nothing of the container's and nothing of
 * the job is read before that.
 */
#pragma once

#include "common/copier_start.h"
#include "common/error.h"

struct copier {
    enum bh_copier_view view;
    const char *path; /* FILL: what is copied */
    int root;         /* the tree to work on, O_PATH */
    int upper, lower; /* -1 where the view has none */
};

/* Takes the arguments and descriptors, enters the namespaces and the sandbox. */
int copier_start(int argc, char **argv, struct copier *ret_copier, struct bh_error *error);
