/* SPDX-License-Identifier: Apache-2.0
 *
 * See layer_nodes.h. One hash table over (directory, name), keyed with random bytes so that nobody can choose names
 * that collide; memory comes from an arena and is given back as a whole.
 */
#include "layer_nodes.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "bounds.h"
#include "siphash.h"

#define ARENA_CHUNK      (1 * BH_MIB)
#define BUCKETS_AT_FIRST 4096U

struct chunk {
    struct chunk *next;
    size_t used, size;
    uint8_t bytes[] __attribute__((aligned(16)));
};

int layer_tree_new(struct layer_tree **ret_tree, struct bh_error *error)
{
    bh_autolayertree struct layer_tree *tree = calloc(1, sizeof(*tree));
    if (!tree || !(tree->buckets = calloc(BUCKETS_AT_FIRST, sizeof(struct layer_entry *)))) {
        return bh_error_errno(error, ENOMEM, "allocate a layer's tree");
    }
    tree->n_buckets = BUCKETS_AT_FIRST;
    tree->root = (struct layer_inode){.mode = S_IFDIR | 0755, .links = 1};
    if (getrandom(tree->key, sizeof(tree->key), 0) != (ssize_t)sizeof(tree->key)) {
        return bh_error_errno(error, errno, "get random bytes");
    }
    *ret_tree = bh_steal_pointer(&tree);
    return 0;
}

void layer_tree_free(struct layer_tree **tree)
{
    if (*tree) {
        for (struct chunk *chunk = (*tree)->chunks; chunk;) {
            struct chunk *next = chunk->next;
            free(chunk);
            chunk = next;
        }
        free((*tree)->buckets);
        free(*tree);
    }
}

struct layer_inode *layer_tree_root(struct layer_tree *tree)
{
    return &tree->root;
}

void *layer_tree_allocate(struct layer_tree *tree, size_t n_bytes, struct bh_error *error)
{
    size_t rounded = (n_bytes + 7) & ~(size_t)7;
    struct chunk *chunk = tree->chunks;
    if (!chunk || chunk->size - chunk->used < rounded) {
        size_t size = rounded > ARENA_CHUNK ? rounded : ARENA_CHUNK;
        chunk = malloc(sizeof(*chunk) + size);
        if (!chunk) {
            bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the layer has more names than fit into a worker's memory");
            return NULL;
        }
        *chunk = (struct chunk){.next = tree->chunks, .size = size};
        tree->chunks = chunk;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += rounded;
    return memory;
}

/* ---- names ------------------------------------------------------------------------------------ */

static uint64_t hash_name(const struct layer_tree *tree, const struct layer_inode *parent, const char *name,
                          size_t n_bytes)
{
    uint64_t key[2] = {tree->key[0] ^ (uint64_t)(uintptr_t)parent, tree->key[1]};
    return siphash(key, name, n_bytes);
}

struct layer_entry *layer_nodes_lookup(const struct layer_tree *tree, const struct layer_inode *parent,
                                       const char *name, size_t n_bytes)
{
    uint64_t hash = hash_name(tree, parent, name, n_bytes);
    struct layer_entry *entry = tree->buckets[hash & (tree->n_buckets - 1)];
    for (; entry; entry = entry->chain) {
        if (entry->hash == hash && entry->parent == parent && entry->n_bytes == n_bytes &&
            memcmp(entry->name, name, n_bytes) == 0) {
            break;
        }
    }
    return entry;
}

/* Doubles the table when it is full. Failing to is no error: chains just grow. */
static void grow(struct layer_tree *tree)
{
    size_t wanted = tree->n_buckets * 2;
    struct layer_entry **buckets = calloc(wanted, sizeof(*buckets));
    if (!buckets) {
        return;
    }
    for (size_t i = 0; i < tree->n_buckets; i++) {
        for (struct layer_entry *entry = tree->buckets[i]; entry;) {
            struct layer_entry *next = entry->chain;
            struct layer_entry **bucket = &buckets[entry->hash & (wanted - 1)];
            entry->chain = *bucket;
            *bucket = entry;
            entry = next;
        }
    }
    free(tree->buckets);
    tree->buckets = buckets;
    tree->n_buckets = wanted;
}

int layer_nodes_add(struct layer_tree *tree, struct layer_inode *parent, const char *name, size_t n_bytes,
                    struct layer_inode *inode, struct layer_entry **ret_entry, struct bh_error *error)
{
    if (++tree->made_entries > BH_LAYER_ENTRIES_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the layer has more than %llu names", BH_LAYER_ENTRIES_MAX);
    }
    struct layer_entry *entry = layer_tree_allocate(tree, sizeof(*entry) + n_bytes, error);
    if (!entry) {
        return -1;
    }
    if (tree->n_entries >= tree->n_buckets) {
        grow(tree);
    }
    *entry = (struct layer_entry){.previous = parent->last_child,
                                  .parent = parent,
                                  .inode = inode,
                                  .hash = hash_name(tree, parent, name, n_bytes),
                                  .n_bytes = (uint16_t)n_bytes};
    memcpy(entry->name, name, n_bytes);
    *(parent->last_child ? &parent->last_child->next : &parent->first_child) = entry;
    parent->last_child = entry;
    struct layer_entry **bucket = &tree->buckets[entry->hash & (tree->n_buckets - 1)];
    entry->chain = *bucket;
    *bucket = entry;
    tree->n_entries++;
    inode->links++;
    if (S_ISDIR(inode->mode)) {
        inode->entry = entry;
        inode->depth = (uint16_t)(parent->depth + 1);
    }
    *ret_entry = entry;
    return 0;
}

static void remove_entry(struct layer_tree *tree, struct layer_entry *entry)
{
    *(entry->previous ? &entry->previous->next : &entry->parent->first_child) = entry->next;
    *(entry->next ? &entry->next->previous : &entry->parent->last_child) = entry->previous;
    struct layer_entry **slot = &tree->buckets[entry->hash & (tree->n_buckets - 1)];
    while (*slot != entry) {
        slot = &(*slot)->chain;
    }
    *slot = entry->chain;
    tree->n_entries--;
    entry->inode->links--;
}

/* Removes everything below a directory, leaf by leaf, without recursion. */
static void remove_children(struct layer_tree *tree, struct layer_inode *directory)
{
    struct layer_inode *at = directory;
    while (at != directory || at->first_child) {
        struct layer_entry *child = at->first_child;
        if (!child) {
            struct layer_entry *self = at->entry;
            at = self->parent;
            remove_entry(tree, self);
        } else if (S_ISDIR(child->inode->mode)) {
            at = child->inode;
        } else {
            remove_entry(tree, child);
        }
    }
}

void layer_nodes_replace(struct layer_tree *tree, struct layer_entry *entry, struct layer_inode *inode)
{
    struct layer_inode *old = entry->inode;
    if (S_ISDIR(old->mode)) {
        remove_children(tree, old);
    }
    entry->hides = entry->hides || layer_inode_is_whiteout(old);
    old->links--;
    inode->links++;
    entry->inode = inode;
    if (S_ISDIR(inode->mode)) {
        inode->entry = entry;
        inode->depth = (uint16_t)(entry->parent->depth + 1);
    }
}
