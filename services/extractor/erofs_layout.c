/* SPDX-License-Identifier: Apache-2.0
 *
 * See erofs_layout.h; the rules are those of common/erofs_format.h. Three passes over the inodes in breadth-first
 * order: number and measure them, write the blocks that directories and long symlinks need, write the records.
 */
#include "erofs_layout.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/erofs_format.h"
#include "erofs_directory.h"
#include "xattrs.h"

#define INODE_BYTES ((uint32_t)sizeof(struct bh_erofs_inode))
#define BLOCK       BH_EROFS_BLOCK_BYTES

struct layout {
    struct layer_tree *tree;
    struct erofs_image *image;
    struct layer_inode **inodes; /* in the order of their records; owned */
    size_t n_inodes, room;
    struct layer_entry **children; /* scratch for sorting; owned */
    size_t children_room;
    uint64_t next_block; /* of directories' and symlinks' blocks */
    uint64_t meta_block;
};

static int append(struct layout *layout, struct layer_inode *inode, struct bh_error *error)
{
    if (layout->n_inodes == layout->room) {
        size_t room = layout->room ? layout->room * 2 : 1024;
        void *inodes = realloc(layout->inodes, room * sizeof(struct layer_inode *));
        if (!inodes) {
            return bh_error_errno(error, ENOMEM, "number the layer's inodes");
        }
        layout->inodes = inodes;
        layout->room = room;
    }
    layout->inodes[layout->n_inodes++] = inode;
    inode->ino = (uint32_t)layout->n_inodes;
    return 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct layer_entry *x = *(struct layer_entry *const *)a, *y = *(struct layer_entry *const *)b;
    return erofs_name_compare(x->name, x->n_bytes, y->name, y->n_bytes);
}

/* Puts a directory's children into the order of their names. */
static int sort_children(struct layout *layout, struct layer_inode *directory, struct bh_error *error)
{
    size_t n = 0;
    for (struct layer_entry *child = directory->first_child; child; child = child->next) {
        if (n == layout->children_room) {
            size_t room = layout->children_room ? layout->children_room * 2 : 1024;
            void *children = realloc(layout->children, room * sizeof(struct layer_entry *));
            if (!children) {
                return bh_error_errno(error, ENOMEM, "sort the layer's names");
            }
            layout->children = children;
            layout->children_room = room;
        }
        layout->children[n++] = child;
    }
    if (n < 2) {
        return 0;
    }
    qsort(layout->children, n, sizeof(struct layer_entry *), compare_entries);
    for (size_t i = 0; i < n; i++) {
        layout->children[i]->previous = i > 0 ? layout->children[i - 1] : NULL;
        layout->children[i]->next = i + 1 < n ? layout->children[i + 1] : NULL;
    }
    directory->first_child = layout->children[0];
    directory->last_child = layout->children[n - 1];
    return 0;
}

/* Overlayfs' mark of a directory that hides what is below it. */
static int mark_opaque(struct layout *layout, struct layer_inode *directory, struct bh_error *error)
{
    uint8_t *area = layer_tree_allocate(layout->tree, directory->xattr_bytes + XATTRS_OPAQUE_ROOM, error);
    if (!area) {
        return -1;
    }
    directory->xattr_bytes = xattrs_copy_opaque(directory->xattrs, directory->xattr_bytes, area);
    directory->xattrs = area;
    return 0;
}

static int measure_directory(struct layer_inode *directory, struct bh_error *error)
{
    struct erofs_directory content;
    erofs_directory_begin(directory, &content);
    uint64_t size = 0;
    for (uint32_t used, last = 0; (used = erofs_directory_block(&content, NULL)) > 0; last = used) {
        size += last > 0 ? BLOCK - last : 0; /* all but the last block count in full */
        size += used;
    }
    if (size > BH_EROFS_DIRECTORY_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "a directory of the layer has too many names");
    }
    directory->size = size;
    return 0;
}

static int number_children(struct layout *layout, struct layer_inode *directory, struct bh_error *error)
{
    if (sort_children(layout, directory, error) < 0) {
        return -1;
    }
    for (struct layer_entry *child = directory->first_child; child; child = child->next) {
        struct layer_inode *inode = child->inode;
        if (S_ISDIR(inode->mode)) {
            directory->directories++;
            inode->opaque = inode->opaque || child->hides;
        }
        if (inode->ino == 0 && append(layout, inode, error) < 0) {
            return -1;
        }
    }
    if (directory->opaque && mark_opaque(layout, directory, error) < 0) {
        return -1;
    }
    return measure_directory(directory, error);
}

/* Size of the part of an inode's content that stands behind it in its record. */
static uint32_t inline_bytes(const struct layer_inode *inode)
{
    uint32_t tail = S_ISDIR(inode->mode)   ? (uint32_t)(inode->size % BLOCK)
                    : S_ISLNK(inode->mode) ? (uint32_t)inode->size
                                           : 0;
    return INODE_BYTES + inode->xattr_bytes + tail <= BLOCK ? tail : 0;
}

/* Whole blocks of its own, in front of the metadata area. */
static uint64_t own_blocks(const struct layer_inode *inode)
{
    if (!S_ISDIR(inode->mode) && !S_ISLNK(inode->mode)) {
        return 0;
    }
    return (inode->size - inline_bytes(inode) + BLOCK - 1) / BLOCK;
}

/* Where a record that cannot start before `offset` (in the metadata area) starts. */
static uint64_t place(uint64_t offset, const struct layer_inode *inode)
{
    uint64_t record = (uint64_t)INODE_BYTES + inode->xattr_bytes + inline_bytes(inode);
    offset = (offset + BH_EROFS_SLOT_BYTES - 1) & ~(uint64_t)(BH_EROFS_SLOT_BYTES - 1);
    uint64_t within = offset % BLOCK;
    return within > 0 && within + record > BLOCK ? offset + BLOCK - within : offset;
}

static int number_all(struct layout *layout, struct bh_error *error)
{
    if (append(layout, layer_tree_root(layout->tree), error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < layout->n_inodes; i++) {
        if (S_ISDIR(layout->inodes[i]->mode) && number_children(layout, layout->inodes[i], error) < 0) {
            return -1;
        }
    }
    uint64_t offset = (uint64_t)BH_EROFS_ROOT_NID * BH_EROFS_SLOT_BYTES;
    for (size_t i = 0; i < layout->n_inodes; i++) {
        struct layer_inode *inode = layout->inodes[i];
        offset = place(offset, inode);
        inode->nid = offset / BH_EROFS_SLOT_BYTES;
        offset += (uint64_t)INODE_BYTES + inode->xattr_bytes + inline_bytes(inode);
        uint64_t blocks = own_blocks(inode);
        if (S_ISDIR(inode->mode) || S_ISLNK(inode->mode)) {
            inode->u = blocks > 0 ? (uint32_t)layout->next_block : 0;
        }
        layout->next_block += blocks;
    }
    layout->meta_block = layout->next_block;
    return 0;
}

static int write_own_blocks(struct layout *layout, const struct layer_inode *inode, struct bh_error *error)
{
    uint64_t blocks = own_blocks(inode);
    if (blocks > 0 && S_ISLNK(inode->mode)) {
        return erofs_image_write(layout->image, inode->target, inode->size, error) < 0
                   ? -1
                   : erofs_image_align(layout->image, BLOCK, error);
    }
    struct erofs_directory content;
    erofs_directory_begin(inode, &content);
    for (uint8_t block[BLOCK]; blocks > 0; blocks--) {
        (void)erofs_directory_block(&content, block);
        if (erofs_image_write(layout->image, block, BLOCK, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static struct bh_erofs_inode encode(const struct layer_inode *inode)
{
    uint32_t icount = inode->xattr_bytes > 0 ? (inode->xattr_bytes - 12) / 4 + 1 : 0;
    bool directory = S_ISDIR(inode->mode);
    return (struct bh_erofs_inode){
        .format = htole16(inline_bytes(inode) > 0 ? BH_EROFS_FORMAT_INLINE : BH_EROFS_FORMAT_PLAIN),
        .xattr_icount = htole16((uint16_t)icount),
        .mode = htole16(inode->mode),
        .size = htole64(inode->size),
        .u = htole32(inode->u),
        .ino = htole32(inode->ino),
        .uid = htole32(inode->uid),
        .gid = htole32(inode->gid),
        .mtime = htole64((uint64_t)inode->mtime),
        .mtime_nsec = htole32(inode->mtime_nsec),
        .nlink = htole32(directory ? 2 + inode->directories : inode->links),
    };
}

/* The last, incomplete block of a directory. */
static int write_directory_tail(struct layout *layout, const struct layer_inode *inode, struct bh_error *error)
{
    struct erofs_directory content;
    erofs_directory_begin(inode, &content);
    uint8_t block[BLOCK];
    for (uint64_t skip = own_blocks(inode); skip > 0; skip--) {
        (void)erofs_directory_block(&content, NULL);
    }
    uint32_t used = erofs_directory_block(&content, block);
    return erofs_image_write(layout->image, block, used, error);
}

static int write_record(struct layout *layout, const struct layer_inode *inode, struct bh_error *error)
{
    uint64_t at = layout->meta_block * BLOCK + inode->nid * BH_EROFS_SLOT_BYTES;
    struct bh_erofs_inode record = encode(inode);
    if (erofs_image_zeros(layout->image, at - erofs_image_offset(layout->image), error) < 0 ||
        erofs_image_write(layout->image, &record, sizeof(record), error) < 0 ||
        erofs_image_write(layout->image, inode->xattrs, inode->xattr_bytes, error) < 0) {
        return -1;
    }
    if (inline_bytes(inode) == 0) {
        return 0;
    }
    return S_ISLNK(inode->mode) ? erofs_image_write(layout->image, inode->target, inode->size, error)
                                : write_directory_tail(layout, inode, error);
}

static int write_all(struct layout *layout, struct erofs_summary *ret_summary, struct bh_error *error)
{
    if (erofs_image_align(layout->image, BLOCK, error) < 0) {
        return -1;
    }
    layout->next_block = erofs_image_offset(layout->image) / BLOCK;
    if (number_all(layout, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < layout->n_inodes; i++) {
        if (own_blocks(layout->inodes[i]) > 0 && write_own_blocks(layout, layout->inodes[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < layout->n_inodes; i++) {
        if (write_record(layout, layout->inodes[i], error) < 0) {
            return -1;
        }
    }
    if (erofs_image_align(layout->image, BLOCK, error) < 0) {
        return -1;
    }
    uint64_t blocks = erofs_image_offset(layout->image) / BLOCK;
    if (blocks > UINT32_MAX) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "the layer's image has too many blocks");
    }
    struct bh_erofs_super super = {.magic = htole32(BH_EROFS_MAGIC),
                                   .feature_compat = htole32(BH_EROFS_COMPAT),
                                   .block_bits = BH_EROFS_BLOCK_BITS,
                                   .root_nid = htole16(BH_EROFS_ROOT_NID),
                                   .inodes = htole64(layout->n_inodes),
                                   .blocks = htole32((uint32_t)blocks),
                                   .meta_blkaddr = htole32((uint32_t)layout->meta_block)};
    *ret_summary = (struct erofs_summary){.image_bytes = blocks * BLOCK, .inodes = layout->n_inodes};
    return erofs_image_finish(layout->image, &super, sizeof(super), error);
}

int erofs_layout_write(struct layer_tree *tree, struct erofs_image *image, struct erofs_summary *ret_summary,
                       struct bh_error *error)
{
    struct layout layout = {.tree = tree, .image = image};
    int result = write_all(&layout, ret_summary, error);
    free(layout.inodes);
    free(layout.children);
    return result;
}
