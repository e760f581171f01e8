/* SPDX-License-Identifier: Apache-2.0
 *
 * Builds small layer images in memory, straight from the words of common/erofs_format.h and sharing no code with the
 * writer or the checker: what tests damage and hand to the checker.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define IMAGE_NODES_MAX 2048

struct image_node {
    int parent;       /* index of its folder; the first node is the root */
    const char *name; /* NULL for the root */
    uint32_t mode;    /* type and permissions */
    uint32_t device;
    const void *content; /* of a file, or a symlink's target; zeros if NULL */
    size_t content_bytes;
    const void *xattrs; /* the whole area, header included */
    size_t xattr_bytes;
    int link_to; /* another name of the node of this index; 0: none */
};

struct image {
    uint8_t *bytes; /* owned */
    size_t n_bytes;
    uint64_t offset[IMAGE_NODES_MAX]; /* of each node's inode */
    uint64_t tail[IMAGE_NODES_MAX];   /* of a directory's last block, inline or not */
};

void image_build(const struct image_node *nodes, size_t n_nodes, struct image *ret_image);
void image_free(struct image *image);

/* A tree with everything in it: files of several sizes, hard links, symlinks short and long, devices, a FIFO, a
 * whiteout, an opaque folder, attributes, nested folders, a folder of several blocks. */
const struct image_node *image_sample(size_t *ret_nodes);

/* Where the sample's nodes are. */
enum image_sample_node {
    SAMPLE_ROOT,
    SAMPLE_BIN,
    SAMPLE_SH,
    SAMPLE_EMPTY,
    SAMPLE_LINK, /* hard link to SAMPLE_SH, in another folder */
    SAMPLE_SYMLINK,
    SAMPLE_LONG_SYMLINK,
    SAMPLE_DEVICE,
    SAMPLE_FIFO,
    SAMPLE_WHITEOUT,
    SAMPLE_OPAQUE,
    SAMPLE_NESTED,
    SAMPLE_ATTRIBUTES,
    SAMPLE_LARGE,
    SAMPLE_BIG_FOLDER,
    SAMPLE_FIXED, /* then come the files of the big folder */
};
