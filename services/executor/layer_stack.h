/* SPDX-License-Identifier: Apache-2.0
 *
 * The layers that a container's image is made of, as mounts.
 */
#pragma once

#include "executor.h"
#include "spec.h"

/* Base first, without what a layer with an opaque root hides. The mounts are borrowed from the cache; the list is the
 * caller's to free, also on failure. */
int layer_stack(struct executor *executor, const struct container_spec *spec, int **ret_layers, size_t *ret_n_layers,
                struct bh_error *error);
