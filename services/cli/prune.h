/* SPDX-License-Identifier: Apache-2.0
 *
 * Removing what nobody uses: the same question, request and answer for containers, images, volumes and networks.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli.h"

struct prune_kind {
    const char *path;  /* "/containers/prune" */
    const char *title; /* "Deleted Containers" */
    const char *key;   /* of the list in the answer: "ContainersDeleted" */
    bool has_size;     /* the answer tells how much room there is now */
};
extern const struct prune_kind prune_containers, prune_images, prune_volumes, prune_networks;

/* The options that all of them share. */
struct prune_options {
    bool all, force, volumes;
    struct strings filters;
};

/* Asks the engine and prints what is gone. `extra_filter` ("dangling=true") may be NULL. Adds to *reclaimed_bytes. */
int prune(struct cli *cli, const struct prune_kind *kind, const struct strings *filters, const char *extra_filter,
          uint64_t *reclaimed_bytes, struct bh_error *error);
/* The whole of a prune command for one kind: asks first, unless --force. */
int prune_run(struct cli *cli, const struct prune_kind *kind, const struct prune_options *options, const char *warning,
              const char *extra_filter, struct bh_error *error);
/* "Total reclaimed space: 1.2MB" */
void prune_print_total(uint64_t reclaimed_bytes);
