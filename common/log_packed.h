/* SPDX-License-Identifier: Apache-2.0
 *
 * A rotated file of a container's log, compressed: one member of gzip (RFC 1952), as gunzip(1) reads it, whose extra
 * field names the file that it was. By that a follower who has read the file already knows it again. Written by the
 * monitor, read by api.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BH_LOG_PACKED_EXTRA_BYTES 12U /* subfield "BH": 2 bytes of name, 2 of length, 8 of inode */
#define BH_LOG_PACKED_HEAD_BYTES  24U /* gzip's own header, the extra field's length, and that field */

/* The extra field for the file with that inode. */
static inline void bh_log_packed_extra(uint64_t inode, uint8_t ret_extra[static BH_LOG_PACKED_EXTRA_BYTES])
{
    static const uint8_t name_and_length[4] = {'B', 'H', 8, 0};
    memcpy(ret_extra, name_and_length, sizeof(name_and_length));
    for (size_t i = 0; i < 8; i++) {
        ret_extra[sizeof(name_and_length) + i] = (uint8_t)(inode >> 8 * i);
    }
}

/* Whether a file that begins with these bytes is one, and which file it was. No log begins like that: a line of JSON
 * begins with a brace, a record with the first byte of a small size. */
static inline bool bh_log_packed_parse(const uint8_t *head, size_t n_bytes, uint64_t *ret_inode)
{
    static const uint8_t gzip_with_extra[4] = {0x1f, 0x8b, 8, 4};
    uint8_t extra[BH_LOG_PACKED_EXTRA_BYTES];
    if (n_bytes < BH_LOG_PACKED_HEAD_BYTES || memcmp(head, gzip_with_extra, sizeof(gzip_with_extra)) != 0 ||
        head[10] != BH_LOG_PACKED_EXTRA_BYTES || head[11] != 0) {
        return false;
    }
    uint64_t inode = 0;
    for (size_t i = 8; i-- > 0;) {
        inode = inode << 8 | head[BH_LOG_PACKED_HEAD_BYTES - 8 + i];
    }
    bh_log_packed_extra(inode, extra);
    *ret_inode = inode;
    return memcmp(head + BH_LOG_PACKED_HEAD_BYTES - sizeof(extra), extra, sizeof(extra)) == 0;
}
