/* SPDX-License-Identifier: Apache-2.0
 *
 * One inode of a layer image, by itself: its 64 bytes decoded, and the rules that need no other inode
 * (common/erofs_format.h, "Inodes"). For the parts of the EROFS check.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "erofs_reader.h"

struct erofs_record {
    uint64_t offset; /* in the file */
    uint64_t nid;
    bool in_line;      /* BH_EROFS_FORMAT_INLINE */
    uint8_t file_type; /* enum bh_erofs_file_type */
    uint32_t u, ino, nlink;
    uint64_t size;
    size_t xattr_bytes, tail_bytes;
};

/* Reads the inode at `offset`: its fields, and nothing behind them. `meta_offset` is where nid 0 would be. */
int erofs_record_read(struct erofs_window *window, uint64_t meta_offset, uint64_t offset,
                      struct erofs_record *ret_record, struct bh_error *error);

/* The whole record: inode, attributes, inline tail. */
uint64_t erofs_record_bytes(const struct erofs_record *record);

/* Fails with INVALID_ARGUMENT: "layer image: inode <nid>: <what>". */
int erofs_refuse(struct bh_error *error, uint64_t nid, const char *what);
