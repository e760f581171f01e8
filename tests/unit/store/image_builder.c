/* SPDX-License-Identifier: Apache-2.0
 *
 * Layer images for tests; see image_builder.h.
 */
#include "image_builder.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/erofs_format.h"

#define BLOCK BH_EROFS_BLOCK_BYTES

/* One entry of a folder, "." and ".." included. */
struct entry {
    const char *name;
    size_t node; /* hard links resolved */
};

struct plan {
    size_t node; /* placed in this order */
    size_t parent;
    uint32_t nlink, first_block;
    uint64_t size, offset;
    bool in_line;
};

struct build {
    const struct image_node *nodes;
    size_t n_nodes;
    struct plan plans[IMAGE_NODES_MAX];
    size_t n_plans;
    size_t plan_of[IMAGE_NODES_MAX]; /* 1-based; 0: not met yet */
    struct image *image;
};

static size_t blocks(uint64_t n_bytes)
{
    return (size_t)((n_bytes + BLOCK - 1) / BLOCK);
}

static size_t resolve(const struct build *build, size_t node)
{
    return build->nodes[node].link_to ? (size_t)build->nodes[node].link_to : node;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static size_t list_folder(const struct build *build, size_t folder, size_t parent, struct entry *entries)
{
    size_t n = 0;
    entries[n++] = (struct entry){".", folder};
    entries[n++] = (struct entry){"..", parent};
    for (size_t i = 1; i < build->n_nodes; i++) {
        if ((size_t)build->nodes[i].parent == folder) {
            entries[n++] = (struct entry){build->nodes[i].name, resolve(build, i)};
        }
    }
    qsort(entries, n, sizeof(*entries), compare_entries);
    return n;
}

static uint8_t file_type(uint32_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return BH_EROFS_TYPE_REGULAR;
    case S_IFDIR:
        return BH_EROFS_TYPE_DIRECTORY;
    case S_IFLNK:
        return BH_EROFS_TYPE_SYMLINK;
    case S_IFCHR:
        return BH_EROFS_TYPE_CHARACTER;
    case S_IFBLK:
        return BH_EROFS_TYPE_BLOCK;
    default:
        return BH_EROFS_TYPE_FIFO;
    }
}

/* How many entries from `first` on fit one block, and how many bytes they use. */
static size_t fit(const struct entry *entries, size_t n, size_t first, size_t *ret_bytes)
{
    size_t used = 0;
    size_t i = first;
    for (; i < n && used + sizeof(struct bh_erofs_dirent) + strlen(entries[i].name) <= BLOCK; i++) {
        used += sizeof(struct bh_erofs_dirent) + strlen(entries[i].name);
    }
    *ret_bytes = used;
    return i - first;
}

static uint64_t folder_size(const struct entry *entries, size_t n)
{
    uint64_t size = 0;
    for (size_t first = 0, used = 0; first < n;) {
        first += fit(entries, n, first, &used);
        size += first < n ? BLOCK : used;
    }
    return size;
}

static void meet(struct build *build, size_t node, size_t parent)
{
    struct plan *plan = &build->plans[build->n_plans++];
    *plan = (struct plan){.node = node, .parent = parent, .size = build->nodes[node].content_bytes};
    build->plan_of[node] = build->n_plans;
}

/* Breadth-first: who is met when, and how often. */
static void order(struct build *build)
{
    static struct entry entries[IMAGE_NODES_MAX + 2];
    meet(build, 0, 0);
    for (size_t i = 0; i < build->n_plans; i++) {
        struct plan *plan = &build->plans[i];
        if (!S_ISDIR(build->nodes[plan->node].mode)) {
            continue;
        }
        plan->nlink += 2;
        size_t n = list_folder(build, plan->node, plan->parent, entries);
        plan->size = folder_size(entries, n);
        for (size_t e = 0; e < n; e++) {
            if (strcmp(entries[e].name, ".") == 0 || strcmp(entries[e].name, "..") == 0) {
                continue;
            }
            if (!build->plan_of[entries[e].node]) {
                meet(build, entries[e].node, plan->node);
            }
            if (S_ISDIR(build->nodes[entries[e].node].mode)) {
                plan->nlink++;
            } else {
                build->plans[build->plan_of[entries[e].node] - 1].nlink++;
            }
        }
    }
}

static uint64_t record_bytes(const struct build *build, const struct plan *plan)
{
    return sizeof(struct bh_erofs_inode) + build->nodes[plan->node].xattr_bytes +
           (plan->in_line ? plan->size % BLOCK : 0);
}

/* Gives out blocks, then places for the records. */
static void place(struct build *build)
{
    uint32_t next = 1;
    for (size_t i = 0; i < build->n_plans; i++) {
        struct plan *plan = &build->plans[i];
        if (S_ISREG(build->nodes[plan->node].mode) && plan->size > 0) {
            plan->first_block = next;
            next += (uint32_t)blocks(plan->size);
        }
    }
    for (size_t i = 0; i < build->n_plans; i++) {
        struct plan *plan = &build->plans[i];
        uint32_t mode = build->nodes[plan->node].mode;
        if (!S_ISDIR(mode) && !S_ISLNK(mode)) {
            continue;
        }
        plan->in_line = plan->size % BLOCK != 0;
        if (plan->in_line && record_bytes(build, plan) > BLOCK) {
            plan->in_line = false;
        }
        size_t n = plan->in_line ? (size_t)(plan->size / BLOCK) : blocks(plan->size);
        plan->first_block = n ? next : 0;
        next += (uint32_t)n;
    }
    uint64_t meta = (uint64_t)next * BLOCK;
    uint64_t at = meta + BH_EROFS_ROOT_NID * (uint64_t)BH_EROFS_SLOT_BYTES;
    for (size_t i = 0; i < build->n_plans; i++) {
        struct plan *plan = &build->plans[i];
        uint64_t n_bytes = record_bytes(build, plan);
        if (at % BLOCK + n_bytes > BLOCK && at % BLOCK != 0) {
            at += BLOCK - at % BLOCK;
        }
        plan->offset = at;
        build->image->offset[plan->node] = at;
        at = (at + n_bytes + BH_EROFS_SLOT_BYTES - 1) / BH_EROFS_SLOT_BYTES * BH_EROFS_SLOT_BYTES;
    }
    build->image->n_bytes = blocks(at) * BLOCK;
    build->image->bytes = calloc(1, build->image->n_bytes);
    assert(build->image->bytes);
    struct bh_erofs_super super = {.magic = BH_EROFS_MAGIC,
                                   .feature_compat = BH_EROFS_COMPAT,
                                   .block_bits = BH_EROFS_BLOCK_BITS,
                                   .root_nid = BH_EROFS_ROOT_NID,
                                   .inodes = build->n_plans,
                                   .blocks = (uint32_t)blocks(at),
                                   .meta_blkaddr = next};
    memcpy(build->image->bytes + BH_EROFS_SUPER_OFFSET, &super, sizeof(super));
}

static uint64_t nid_of(const struct build *build, size_t node)
{
    const struct bh_erofs_super *super = (const void *)(build->image->bytes + BH_EROFS_SUPER_OFFSET);
    return (build->image->offset[node] - (uint64_t)super->meta_blkaddr * BLOCK) / BH_EROFS_SLOT_BYTES;
}

static void write_folder(const struct build *build, const struct plan *plan)
{
    static struct entry entries[IMAGE_NODES_MAX + 2];
    size_t n = list_folder(build, plan->node, plan->parent, entries);
    uint64_t done = 0;
    for (size_t first = 0, used = 0; first < n; done += BLOCK) {
        size_t count = fit(entries, n, first, &used);
        bool tail = first + count == n && plan->in_line;
        uint64_t at = tail ? plan->offset + sizeof(struct bh_erofs_inode) + build->nodes[plan->node].xattr_bytes
                           : (uint64_t)plan->first_block * BLOCK + done;
        size_t name_at = count * sizeof(struct bh_erofs_dirent);
        for (size_t i = 0; i < count; i++, first++) {
            struct bh_erofs_dirent dirent = {.nid = nid_of(build, entries[first].node),
                                             .name_offset = (uint16_t)name_at,
                                             .file_type = file_type(build->nodes[entries[first].node].mode)};
            memcpy(build->image->bytes + at + i * sizeof(dirent), &dirent, sizeof(dirent));
            memcpy(build->image->bytes + at + name_at, entries[first].name, strlen(entries[first].name));
            name_at += strlen(entries[first].name);
        }
        build->image->tail[plan->node] = at;
    }
}

static void write_inode(const struct build *build, size_t index)
{
    const struct plan *plan = &build->plans[index];
    const struct image_node *node = &build->nodes[plan->node];
    struct bh_erofs_inode inode = {.format = plan->in_line ? BH_EROFS_FORMAT_INLINE : BH_EROFS_FORMAT_PLAIN,
                                   .mode = (uint16_t)node->mode,
                                   .size = plan->size,
                                   .u = plan->first_block ? plan->first_block : node->device,
                                   .ino = (uint32_t)index + 1,
                                   .mtime = 1700000000,
                                   .nlink = plan->nlink};
    if (node->xattr_bytes) {
        inode.xattr_icount = (uint16_t)((node->xattr_bytes - sizeof(struct bh_erofs_xattr_header)) / 4 + 1);
        memcpy(build->image->bytes + plan->offset + sizeof(inode), node->xattrs, node->xattr_bytes);
    }
    memcpy(build->image->bytes + plan->offset, &inode, sizeof(inode));
    if (S_ISDIR(node->mode)) {
        write_folder(build, plan);
    } else if (node->content) {
        uint64_t at =
            plan->in_line ? plan->offset + sizeof(inode) + node->xattr_bytes : (uint64_t)plan->first_block * BLOCK;
        memcpy(build->image->bytes + at, node->content, node->content_bytes);
    }
}

void image_build(const struct image_node *nodes, size_t n_nodes, struct image *ret_image)
{
    static struct build build;
    assert(n_nodes <= IMAGE_NODES_MAX);
    memset(&build, 0, sizeof(build));
    memset(ret_image, 0, sizeof(*ret_image));
    build.nodes = nodes;
    build.n_nodes = n_nodes;
    build.image = ret_image;
    order(&build);
    place(&build);
    for (size_t i = 0; i < build.n_plans; i++) {
        write_inode(&build, i);
    }
}

void image_free(struct image *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

/* ---- the sample ------------------------------------------------------------------------------------------------ */

#define BIG_FOLDER_FILES 1000

static const char opaque[] = "\0\0\0\0\0\0\0\0\0\0\0\0"
                             "\x0e\x04\x01\x00overlay.opaquey\0";
static const char attributes[] =
    "\0\0\0\0\0\0\0\0\0\0\0\0"
    "\x04\x01\x05\x00namevalue\0\0\0"
    "\x0a\x06\x14\x00"
    "capability\1\0\0\2\1\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    "\0\x02\x24\x00\2\0\0\0\1\0\7\0\xff\xff\xff\xff\2\0\6\0\xe8\3\0\0\4\0\5\0\xff\xff\xff\xff"
    "\x20\0\5\0\xff\xff\xff\xff";
static const char script[] = "#!/bin/sh\necho hello\n";
static char long_target[4090];
static char names[BIG_FOLDER_FILES][64];

static const struct image_node fixed[SAMPLE_FIXED] = {
    [SAMPLE_ROOT] = {.mode = S_IFDIR | 0755},
    [SAMPLE_BIN] = {.name = "bin", .mode = S_IFDIR | 0755},
    [SAMPLE_SH] = {.parent = SAMPLE_BIN,
                   .name = "sh",
                   .mode = S_IFREG | 0755,
                   .content = script,
                   .content_bytes = sizeof(script) - 1},
    [SAMPLE_EMPTY] = {.name = "empty", .mode = S_IFREG | 0644},
    [SAMPLE_LINK] = {.name = "zz-link", .mode = S_IFREG | 0755, .link_to = SAMPLE_SH},
    [SAMPLE_SYMLINK] = {.name = "run", .mode = S_IFLNK | 0777, .content = "var/run", .content_bytes = 7},
    [SAMPLE_LONG_SYMLINK] = {.name = "long",
                             .mode = S_IFLNK | 0777,
                             .content = long_target,
                             .content_bytes = sizeof(long_target)},
    [SAMPLE_DEVICE] = {.name = "null", .mode = S_IFCHR | 0666, .device = 0x103},
    [SAMPLE_FIFO] = {.name = "fifo", .mode = S_IFIFO | 0600},
    [SAMPLE_WHITEOUT] = {.name = "gone", .mode = S_IFCHR},
    [SAMPLE_OPAQUE] = {.name = "opaque", .mode = S_IFDIR | 0700, .xattrs = opaque, .xattr_bytes = 12 + 4 + 14 + 1 + 1},
    [SAMPLE_NESTED] = {.parent = SAMPLE_OPAQUE, .name = "nested", .mode = S_IFDIR | 01777},
    [SAMPLE_ATTRIBUTES] = {.name = "ping",
                           .mode = S_IFREG | 0755,
                           .content = script,
                           .content_bytes = sizeof(script) - 1,
                           .xattrs = attributes,
                           .xattr_bytes = 12 + 16 + 36 + 40},
    [SAMPLE_LARGE] = {.name = "large", .mode = S_IFREG | 0644, .content_bytes = 3 * 4096},
    [SAMPLE_BIG_FOLDER] = {.name = "many", .mode = S_IFDIR | 0755},
};

const struct image_node *image_sample(size_t *ret_nodes)
{
    static struct image_node nodes[SAMPLE_FIXED + BIG_FOLDER_FILES];
    memset(long_target, 'a', sizeof(long_target));
    memcpy(nodes, fixed, sizeof(fixed));
    for (int i = 0; i < BIG_FOLDER_FILES; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "a file with a rather long name, number %04d", i);
        nodes[SAMPLE_FIXED + i] =
            (struct image_node){.parent = SAMPLE_BIG_FOLDER, .name = names[i], .mode = S_IFREG | 0644};
    }
    *ret_nodes = SAMPLE_FIXED + BIG_FOLDER_FILES;
    return nodes;
}
