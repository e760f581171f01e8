/* SPDX-License-Identifier: Apache-2.0
 *
 * See layer_tree.h. What paths mean in a tree: walking, following links, replacing, hiding. Where entries are kept is
 * layer_nodes.c's matter.
 */
#include "layer_tree.h"

#include <string.h>
#include <sys/stat.h>

#include "bounds.h"
#include "common/erofs_format.h"
#include "layer_nodes.h"

#define REST_BYTES (2 * (BH_PATH_BYTES_MAX + 1))

/* ---- paths ------------------------------------------------------------------------------------ */

static int new_inode(struct layer_tree *tree, const struct layer_inode *model, struct layer_inode **ret_inode,
                     struct bh_error *error)
{
    struct layer_inode *inode = layer_tree_allocate(tree, sizeof(*inode), error);
    if (!inode) {
        return -1;
    }
    *inode = *model;
    inode->links = 0;
    *ret_inode = inode;
    return 0;
}

/* A directory that the archive does not have an entry for, or not yet. `entry` is what has the name now, or NULL. */
static int make_parent(struct layer_tree *tree, struct layer_inode *parent, const char *name, size_t n_bytes,
                       struct layer_entry *entry, struct layer_inode **ret_directory, struct bh_error *error)
{
    static const struct layer_inode model = {.mode = S_IFDIR | 0755};
    if (parent->depth >= EXTRACTOR_TREE_DEPTH_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the layer's directories are more than %d deep",
                            EXTRACTOR_TREE_DEPTH_MAX);
    }
    if (new_inode(tree, &model, ret_directory, error) < 0) {
        return -1;
    }
    if (entry) {
        layer_nodes_replace(tree, entry, *ret_directory);
        return 0;
    }
    return layer_nodes_add(tree, parent, name, n_bytes, *ret_directory, &entry, error);
}

/* Puts a symlink's target in front of what is left of a path. */
static int follow(const struct layer_inode *link, char rest[static REST_BYTES], const char *after,
                  struct bh_error *error)
{
    size_t after_bytes = strlen(after);
    if (link->size + 1 + after_bytes + 1 > REST_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "its name becomes too long by following symbolic links");
    }
    memmove(rest + link->size + 1, after, after_bytes + 1);
    memcpy(rest, link->target, link->size);
    rest[link->size] = '/';
    return 0;
}

/* One step of a walk: the directory that `name` names in `at`, or -1. If it is a symlink, *ret_link is set instead. */
static int step(struct layer_tree *tree, struct layer_inode *at, const char *name, size_t n_bytes, bool make,
                struct layer_inode **ret_directory, const struct layer_inode **ret_link, struct bh_error *error)
{
    *ret_link = NULL;
    if (n_bytes == 0 || (n_bytes == 1 && name[0] == '.')) {
        *ret_directory = at;
        return 0;
    }
    if (n_bytes == 2 && name[0] == '.' &&
        name[1] == '.') { /* only symlinks' targets have it: the root is its own parent */
        *ret_directory = at->entry ? at->entry->parent : at;
        return 0;
    }
    struct layer_entry *entry = layer_nodes_lookup(tree, at, name, n_bytes);
    if (entry && S_ISDIR(entry->inode->mode)) {
        *ret_directory = entry->inode;
        return 0;
    }
    if (entry && S_ISLNK(entry->inode->mode)) {
        *ret_link = entry->inode;
        return 0;
    }
    if (entry && !layer_inode_is_whiteout(entry->inode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "\"%.*s\", on the way to it, is no directory",
                            (int)(n_bytes < LAYER_NAME_SHOWN ? n_bytes : LAYER_NAME_SHOWN), name);
    }
    if (!make) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "it is not in this layer");
    }
    if (n_bytes > BH_EROFS_NAME_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a symbolic link on the way to it names more than %u bytes",
                            BH_EROFS_NAME_MAX);
    }
    return make_parent(tree, at, name, n_bytes, entry, ret_directory, error);
}

/* Walks to the directory that holds the last component of `path`, following symbolic links inside the tree. */
static int walk(struct layer_tree *tree, const struct layer_path *path, bool make, struct layer_inode **ret_parent,
                const char **ret_name, size_t *ret_n_bytes, struct bh_error *error)
{
    const char *slash = memrchr(path->text, '/', path->n_bytes);
    *ret_name = slash ? slash + 1 : path->text;
    *ret_n_bytes = path->n_bytes - (size_t)(*ret_name - path->text);
    char rest[REST_BYTES];
    size_t parents = slash ? (size_t)(slash - path->text) : 0;
    memcpy(rest, path->text, parents);
    rest[parents] = '\0';

    struct layer_inode *at = &tree->root;
    const char *left = rest;
    for (int hops = 0; *left;) {
        size_t n_bytes = strcspn(left, "/");
        const char *after = left + n_bytes + (left[n_bytes] == '/' ? 1 : 0);
        const struct layer_inode *link;
        if (step(tree, at, left, n_bytes, make, &at, &link, error) < 0) {
            return -1;
        }
        if (link) {
            if (++hops > EXTRACTOR_SYMLINK_HOPS_MAX) {
                return bh_error_set(error, BH_INVALID_ARGUMENT, "too many symbolic links are on the way to it");
            }
            at = link->target[0] == '/' ? &tree->root : at;
            if (follow(link, rest, after, error) < 0) {
                return -1;
            }
            after = rest;
        }
        left = after;
    }
    *ret_parent = at;
    return 0;
}

static int wrap(const struct layer_path *path, struct bh_error *error)
{
    bh_error_wrap(error, "entry \"%.100s\"", path->text);
    return -1;
}

/* ---- what the reader does ---------------------------------------------------------------------- */

/* A directory entry for a directory that is there already. */
static void update_directory(struct layer_inode *directory, const struct layer_inode *inode)
{
    directory->mode = inode->mode;
    directory->uid = inode->uid;
    directory->gid = inode->gid;
    directory->mtime = inode->mtime;
    directory->mtime_nsec = inode->mtime_nsec;
    directory->xattrs = inode->xattrs;
    directory->xattr_bytes = inode->xattr_bytes;
}

static int put(struct layer_tree *tree, const struct layer_path *path, const struct layer_inode *inode,
               struct layer_inode **ret_inode, struct bh_error *error)
{
    bool directory = S_ISDIR(inode->mode);
    struct layer_inode *parent;
    const char *name;
    size_t n_bytes;
    if (walk(tree, path, true, &parent, &name, &n_bytes, error) < 0) {
        return -1;
    }
    if (directory && parent->depth >= EXTRACTOR_TREE_DEPTH_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the layer's directories are more than %d deep",
                            EXTRACTOR_TREE_DEPTH_MAX);
    }
    struct layer_entry *entry = layer_nodes_lookup(tree, parent, name, n_bytes);
    if (entry && directory && S_ISDIR(entry->inode->mode)) {
        update_directory(entry->inode, inode);
        *ret_inode = entry->inode;
        return 0;
    }
    if (new_inode(tree, inode, ret_inode, error) < 0) {
        return -1;
    }
    if (entry) {
        layer_nodes_replace(tree, entry, *ret_inode);
        return 0;
    }
    return layer_nodes_add(tree, parent, name, n_bytes, *ret_inode, &entry, error);
}

int layer_tree_put(struct layer_tree *tree, const struct layer_path *path, const struct layer_inode *inode,
                   struct layer_inode **ret_inode, struct bh_error *error)
{
    if (path->n_bytes > 0) {
        return put(tree, path, inode, ret_inode, error) < 0 ? wrap(path, error) : 0;
    }
    if (!S_ISDIR(inode->mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the layer's root is given as something that is no directory");
    }
    update_directory(&tree->root, inode);
    *ret_inode = &tree->root;
    return 0;
}

static int link_to(struct layer_tree *tree, const struct layer_path *path, const struct layer_path *target,
                   struct bh_error *error)
{
    struct layer_inode *parent;
    const char *name;
    size_t n_bytes;
    if (walk(tree, target, false, &parent, &name, &n_bytes, error) < 0) {
        return -1;
    }
    struct layer_entry *from = layer_nodes_lookup(tree, parent, name, n_bytes);
    if (!from || layer_inode_is_whiteout(from->inode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "it is not in this layer");
    }
    struct layer_inode *inode = from->inode;
    if (S_ISDIR(inode->mode)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "it is a directory");
    }
    if (inode->links >= BH_EROFS_LINK_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "it has %u links already, which is the most", inode->links);
    }
    if (walk(tree, path, true, &parent, &name, &n_bytes, error) < 0) {
        return -1;
    }
    struct layer_entry *entry = layer_nodes_lookup(tree, parent, name, n_bytes);
    if (!entry) {
        return layer_nodes_add(tree, parent, name, n_bytes, inode, &entry, error);
    }
    if (entry->inode != inode) {
        inode->links++; /* held: what is replaced may be a directory that holds the target */
        layer_nodes_replace(tree, entry, inode);
        inode->links--;
    }
    return 0;
}

int layer_tree_link(struct layer_tree *tree, const struct layer_path *path, const struct layer_path *target,
                    struct bh_error *error)
{
    if (path->n_bytes == 0 || target->n_bytes == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a hard link to or from the layer's root, which is a directory");
    }
    if (link_to(tree, path, target, error) < 0) {
        bh_error_wrap(error, "hard link to \"%.100s\"", target->text);
        return wrap(path, error);
    }
    return 0;
}

int layer_tree_hide(struct layer_tree *tree, const struct layer_path *path, struct bh_error *error)
{
    static const struct layer_inode whiteout = {.mode = S_IFCHR};
    struct layer_inode *parent, *inode;
    const char *name;
    size_t n_bytes;
    if (walk(tree, path, true, &parent, &name, &n_bytes, error) < 0) {
        return wrap(path, error);
    }
    struct layer_entry *entry = layer_nodes_lookup(tree, parent, name, n_bytes);
    if (entry) { /* a whiteout is about lower layers only: what this layer has by that name stays */
        entry->hides = true;
        return 0;
    }
    if (new_inode(tree, &whiteout, &inode, error) < 0 ||
        layer_nodes_add(tree, parent, name, n_bytes, inode, &entry, error) < 0) {
        return wrap(path, error);
    }
    return 0;
}

int layer_tree_hide_all(struct layer_tree *tree, const struct layer_path *path, struct bh_error *error)
{
    if (path->n_bytes == 0) {
        tree->root.opaque = true;
        return 0;
    }
    struct layer_inode *parent;
    const char *name;
    size_t n_bytes;
    if (walk(tree, path, true, &parent, &name, &n_bytes, error) < 0) {
        return wrap(path, error);
    }
    struct layer_entry *entry = layer_nodes_lookup(tree, parent, name, n_bytes);
    struct layer_inode *directory = entry ? entry->inode : NULL;
    if ((!entry || layer_inode_is_whiteout(directory)) &&
        make_parent(tree, parent, name, n_bytes, entry, &directory, error) < 0) {
        return wrap(path, error);
    }
    if (!S_ISDIR(directory->mode)) {
        bh_error_set(error, BH_INVALID_ARGUMENT, "an opaque whiteout in something that is no directory");
        return wrap(path, error);
    }
    directory->opaque = true;
    return 0;
}
