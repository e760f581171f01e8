/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer's names, in memory, while its archive is read: what a directory tree would be if we made one. Later entries
 * replace earlier ones, symbolic links in the middle of a name are followed inside the tree only, whiteouts are
 * remembered. Filled by layer_reader.c, laid out by erofs_layout.c. Nothing here recurses: depth is the archive's to
 * choose.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/error.h"
#include "layer_path.h"

struct layer_entry;

struct layer_inode {
    uint16_t mode; /* type and permissions */
    uint16_t depth;
    bool opaque; /* directory: hides what lower layers have in it */
    uint32_t uid, gid;
    uint32_t mtime_nsec;
    int64_t mtime;
    uint64_t size;  /* regular: bytes; symlink: bytes of the target; directory: set by the layout */
    uint32_t u;     /* regular: first block of its content; device: its packed number; directory: set by the layout */
    uint32_t links; /* entries that name it */
    uint32_t xattr_bytes;                         /* 0, or size of `xattrs`: a whole EROFS xattr area */
    const uint8_t *xattrs;                        /* of the tree's arena */
    const char *target;                           /* symlink */
    struct layer_entry *first_child, *last_child; /* directory */
    struct layer_entry *entry;                    /* directory: the one entry that names it; NULL for the root */
    uint32_t ino;                                 /* set by the layout, 0 before */
    uint32_t directories;                         /* child directories, set by the layout */
    uint64_t nid;                                 /* set by the layout */
};

struct layer_entry {
    struct layer_entry *next, *previous; /* siblings */
    struct layer_entry *chain;           /* of its hash bucket */
    struct layer_inode *parent, *inode;
    uint64_t hash;
    uint16_t n_bytes;
    bool hides; /* a whiteout of this name was in the layer too: if it is a directory, it is opaque */
    char name[];
};

struct layer_tree;

int layer_tree_new(struct layer_tree **ret_tree, struct bh_error *error);
void layer_tree_free(struct layer_tree **tree);
#define bh_autolayertree bh_cleanup(layer_tree_free)

struct layer_inode *layer_tree_root(struct layer_tree *tree);

/* Memory that lives as long as the tree. NULL (with `error` set) when there is no more. */
void *layer_tree_allocate(struct layer_tree *tree, size_t n_bytes, struct bh_error *error);

/* Puts a new inode under `path`, replacing what was there; a directory keeps its children if it replaces a directory
 * (and then *inode's type, times, ids and attributes go to the old one). Missing parents are made (root's, 0755). The
 * root itself can only be given as a directory. *ret_inode is the inode that now has the name. */
int layer_tree_put(struct layer_tree *tree, const struct layer_path *path, const struct layer_inode *inode,
                   struct layer_inode **ret_inode, struct bh_error *error);

/* Gives the file at `target` a second name. What it links to must be in this layer already and be no directory. */
int layer_tree_link(struct layer_tree *tree, const struct layer_path *path, const struct layer_path *target,
                    struct bh_error *error);

/* Hides what lower layers have at `path`, or in the directory `path`. */
int layer_tree_hide(struct layer_tree *tree, const struct layer_path *path, struct bh_error *error);
int layer_tree_hide_all(struct layer_tree *tree, const struct layer_path *path, struct bh_error *error);

static inline bool layer_inode_is_whiteout(const struct layer_inode *inode)
{
    return (inode->mode & 0170000) == 0020000 && inode->u == 0;
}
