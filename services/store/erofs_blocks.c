/* SPDX-License-Identifier: Apache-2.0
 *
 * Ownership of blocks in a layer image; see erofs_blocks.h.
 */
#include "erofs_blocks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/erofs_format.h"

int erofs_blocks_open(struct erofs_blocks *blocks, uint64_t count, struct bh_error *error)
{
    uint8_t *owned = calloc(count / 8 + 1, 1);
    if (!owned) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for %" PRIu64 " blocks", count);
    }
    *blocks = (struct erofs_blocks){.count = count, .owned = owned, .directory_begin = UINT64_MAX};
    return 0;
}

void erofs_blocks_close(struct erofs_blocks *blocks)
{
    free(blocks->owned);
    blocks->owned = NULL;
}

uint64_t erofs_blocks_of(uint64_t n_bytes)
{
    return n_bytes / BH_EROFS_BLOCK_BYTES + (n_bytes % BH_EROFS_BLOCK_BYTES != 0);
}

int erofs_blocks_take(struct erofs_blocks *blocks, const struct erofs_record *record, uint64_t n_blocks,
                      struct bh_error *error)
{
    if (n_blocks == 0) {
        return record->u == 0 ? 0 : erofs_refuse(error, record->nid, "it names a first block but has none");
    }
    uint64_t end = record->u + n_blocks; /* neither is above 2^32 and 2^52 */
    if (record->u < 1 || end > blocks->count) {
        return erofs_refuse(error, record->nid, "its blocks do not lie between the superblock and the metadata");
    }
    for (uint64_t block = record->u; block < end; block++) {
        uint8_t bit = (uint8_t)(1U << (block % 8));
        if (blocks->owned[block / 8] & bit) {
            return erofs_refuse(error, record->nid, "a block of it belongs to another inode too");
        }
        blocks->owned[block / 8] |= bit;
    }
    if (record->file_type == BH_EROFS_TYPE_REGULAR) {
        blocks->content_end = end > blocks->content_end ? end : blocks->content_end;
    } else {
        blocks->directory_begin = record->u < blocks->directory_begin ? record->u : blocks->directory_begin;
    }
    return 0;
}

int erofs_blocks_check_end(const struct erofs_blocks *blocks, struct bh_error *error)
{
    if (blocks->content_end > blocks->directory_begin) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "layer image: contents reach to block %" PRIu64 ", directories begin at %" PRIu64,
                            blocks->content_end, blocks->directory_begin);
    }
    return 0;
}
