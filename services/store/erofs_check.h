/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict check of a layer image's structure, before it is sealed: holds the file to every rule of
 * common/erofs_format.h. The image was written by a process that read an attacker's archive, so nothing in it is
 * trusted; what passes is safe to hand to the kernel's EROFS driver. Called by the seal worker (layer_seal.c).
 *
 * It never looks at what files contain. It reads with pread(2) only, needs 8 bytes of memory for each inode and one bit
 * for each block, and every loop is bounded by the size of the file.
 */
#pragma once

#include <stdint.h>

#include "common/error.h"
#include "common/limits.h"

/* Content, and for each of the most inodes a block that is almost empty and a block of names and attributes. */
#define EROFS_IMAGE_BYTES_MAX (BH_LAYER_BYTES_MAX + 2 * 4096 * BH_LAYER_ENTRIES_MAX)

/* Names in all directories together: hard links included, which have no inode of their own. */
#define EROFS_NAMES_MAX (2 * BH_LAYER_ENTRIES_MAX)

struct erofs_summary {
    uint64_t image_bytes;   /* of the file */
    uint64_t content_bytes; /* sum of the regular files' sizes, each inode once */
    uint64_t inodes;
};

/* Walks the image in `fd` (a regular file, open for reading, that nobody changes meanwhile). INVALID_ARGUMENT names the
 * first rule that is broken and where; other codes mean that the file could not be read or memory ran out. */
int erofs_check(int fd, struct erofs_summary *ret_summary, struct bh_error *error);
