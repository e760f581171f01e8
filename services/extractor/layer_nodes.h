/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a layer's tree: memory, entries and how they are found by directory and name. Used by layer_tree.c
 * alone, which knows what paths, links and whiteouts mean.
 */
#pragma once

#include "layer_tree.h"

struct layer_tree {
    struct layer_inode root;
    struct chunk *chunks; /* the arena */
    struct layer_entry **buckets;
    size_t n_buckets; /* a power of two */
    uint64_t n_entries, made_entries;
    uint64_t key[2];
};

/* The entry of that name in a directory, or NULL. */
struct layer_entry *layer_nodes_lookup(const struct layer_tree *tree, const struct layer_inode *parent,
                                       const char *name, size_t n_bytes);
/* Adds an entry that is not there yet. Refuses more than BH_LAYER_ENTRIES_MAX in the life of a tree. */
int layer_nodes_add(struct layer_tree *tree, struct layer_inode *parent, const char *name, size_t n_bytes,
                    struct layer_inode *inode, struct layer_entry **ret_entry, struct bh_error *error);
/* Gives `entry` another inode; what it had below it goes. */
void layer_nodes_replace(struct layer_tree *tree, struct layer_entry *entry, struct layer_inode *inode);
