/* SPDX-License-Identifier: Apache-2.0
 *
 * See erofs_directory.h; the form on disk is in common/erofs_format.h, "Directories".
 */
#include "erofs_directory.h"

#include <endian.h>
#include <string.h>
#include <sys/stat.h>

#define DIRENT_BYTES  sizeof(struct bh_erofs_dirent)
#define PER_BLOCK_MAX (BH_EROFS_BLOCK_BYTES / (DIRENT_BYTES + 1))

struct item {
    const char *name;
    size_t n_bytes;
    const struct layer_inode *inode;
};

int erofs_name_compare(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);
    if (order != 0) {
        return order;
    }
    return a_bytes < b_bytes ? -1 : a_bytes > b_bytes;
}

void erofs_directory_begin(const struct layer_inode *inode, struct erofs_directory *ret_directory)
{
    *ret_directory = (struct erofs_directory){.inode = inode, .next = inode->first_child};
}

/* What comes next in order, "." and ".." included, without taking it. */
static bool peek(const struct erofs_directory *directory, struct item *ret_item)
{
    const struct layer_inode *self = directory->inode;
    const struct layer_entry *child = directory->next;
    struct item special = {.name = NULL};
    if (!directory->dot_done) {
        special = (struct item){".", 1, self};
    } else if (!directory->dot_dot_done) {
        special = (struct item){"..", 2, self->entry ? self->entry->parent : self};
    }
    if (child &&
        (!special.name || erofs_name_compare(child->name, child->n_bytes, special.name, special.n_bytes) < 0)) {
        *ret_item = (struct item){child->name, child->n_bytes, child->inode};
        return true;
    }
    *ret_item = special;
    return special.name;
}

static void take(struct erofs_directory *directory, const struct item *item)
{
    if (directory->next && item->name == directory->next->name) {
        directory->next = directory->next->next;
    } else if (!directory->dot_done) {
        directory->dot_done = true;
    } else {
        directory->dot_dot_done = true;
    }
}

static uint8_t file_type(const struct layer_inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFDIR:
        return BH_EROFS_TYPE_DIRECTORY;
    case S_IFLNK:
        return BH_EROFS_TYPE_SYMLINK;
    case S_IFCHR:
        return BH_EROFS_TYPE_CHARACTER;
    case S_IFBLK:
        return BH_EROFS_TYPE_BLOCK;
    case S_IFIFO:
        return BH_EROFS_TYPE_FIFO;
    default:
        return BH_EROFS_TYPE_REGULAR;
    }
}

static void encode(const struct item *items, size_t n_items, uint8_t block[BH_EROFS_BLOCK_BYTES])
{
    size_t name_offset = n_items * DIRENT_BYTES;
    for (size_t i = 0; i < n_items; i++) {
        struct bh_erofs_dirent dirent = {.nid = htole64(items[i].inode->nid),
                                         .name_offset = htole16((uint16_t)name_offset),
                                         .file_type = file_type(items[i].inode)};
        memcpy(block + i * DIRENT_BYTES, &dirent, DIRENT_BYTES);
        memcpy(block + name_offset, items[i].name, items[i].n_bytes);
        name_offset += items[i].n_bytes;
    }
}

uint32_t erofs_directory_block(struct erofs_directory *directory, uint8_t block[BH_EROFS_BLOCK_BYTES])
{
    struct item items[PER_BLOCK_MAX];
    size_t n_items = 0, used = 0;
    struct item item;
    while (peek(directory, &item) && used + DIRENT_BYTES + item.n_bytes <= BH_EROFS_BLOCK_BYTES) {
        used += DIRENT_BYTES + item.n_bytes;
        items[n_items++] = item;
        take(directory, &item);
    }
    if (block) {
        memset(block, 0, BH_EROFS_BLOCK_BYTES);
        encode(items, n_items, block);
    }
    return (uint32_t)used;
}
