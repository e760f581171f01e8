/* SPDX-License-Identifier: Apache-2.0
 *
 * The strict check of a layer image; see erofs_check.h.
 *
 * The format makes this simple: inodes stand in breadth-first order, each where a name meets it first. So one pass over
 * the directories in that order must meet the records one behind the other, without a gap. A name either meets the next
 * record, or is a hard link to one that was met before.
 */
#include "erofs_check.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/erofs_format.h"
#include "erofs_blocks.h"
#include "erofs_directory.h"
#include "erofs_inode.h"
#include "erofs_reader.h"
#include "erofs_xattr.h"

/* An inode that was met: what is needed of it later. */
struct met {
    uint32_t nid;
    uint32_t file_type : 4; /* enum bh_erofs_file_type */
    uint32_t link : 28;     /* a directory: its parent's index here; others: names still to come */
};

struct check {
    struct erofs_window records;   /* the cursor's */
    struct erofs_window parents;   /* the records of the directories being walked */
    struct erofs_window blocks;    /* directories' blocks */
    struct erofs_window remainder; /* last blocks of files, targets of long symlinks */
    uint64_t image_bytes, meta_offset;
    uint64_t cursor; /* where the last record that was met ended, padding included */
    struct met *met;
    uint64_t n_met, n_inodes, n_names;
    struct erofs_blocks owned; /* the blocks before the metadata */
    uint64_t content_bytes;
};

/* While the entries of one directory are visited. */
struct walk {
    struct check *check;
    uint64_t index; /* of the directory, in `met` */
    uint32_t n_directories;
};

/* ---- superblock ------------------------------------------------------------------------------------------------ */

static int check_superblock(struct check *check, struct bh_error *error)
{
    const uint8_t *block = NULL;
    if (erofs_window_get(&check->records, 0, BH_EROFS_BLOCK_BYTES, &block, error) < 0) {
        return -1;
    }
    struct bh_erofs_super found;
    memcpy(&found, block + BH_EROFS_SUPER_OFFSET, sizeof(found));
    uint32_t n_blocks = le32toh(found.blocks);
    uint32_t meta_block = le32toh(found.meta_blkaddr);
    check->n_inodes = le64toh(found.inodes);
    struct bh_erofs_super expected = {.magic = htole32(BH_EROFS_MAGIC),
                                      .feature_compat = htole32(BH_EROFS_COMPAT),
                                      .block_bits = BH_EROFS_BLOCK_BITS,
                                      .root_nid = htole16(BH_EROFS_ROOT_NID),
                                      .inodes = found.inodes,
                                      .blocks = found.blocks,
                                      .meta_blkaddr = found.meta_blkaddr};
    if (memcmp(&found, &expected, sizeof(found)) != 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "layer image: its superblock is not one that we write");
    }
    if (n_blocks * (uint64_t)BH_EROFS_BLOCK_BYTES != check->image_bytes || meta_block < 1 || meta_block >= n_blocks) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "layer image: %u blocks with metadata from block %u on do not fit a file of %" PRIu64
                            " bytes",
                            n_blocks, meta_block, check->image_bytes);
    }
    check->meta_offset = (uint64_t)meta_block * BH_EROFS_BLOCK_BYTES;
    uint64_t meta_bytes = check->image_bytes - check->meta_offset;
    if (check->n_inodes < 1 || check->n_inodes > BH_LAYER_ENTRIES_MAX ||
        check->n_inodes > meta_bytes / sizeof(struct bh_erofs_inode) || meta_bytes / BH_EROFS_SLOT_BYTES > UINT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "layer image: %" PRIu64 " inodes in %" PRIu64 " bytes of metadata, must be 1 to %llu",
                            check->n_inodes, meta_bytes, BH_LAYER_ENTRIES_MAX);
    }
    uint64_t behind = BH_EROFS_SUPER_OFFSET + sizeof(found);
    if (erofs_window_expect_zero(&check->records, 0, BH_EROFS_SUPER_OFFSET, error) < 0 ||
        erofs_window_expect_zero(&check->records, behind, BH_EROFS_BLOCK_BYTES - behind, error) < 0) {
        return -1;
    }
    check->cursor = check->meta_offset + BH_EROFS_ROOT_NID * (uint64_t)BH_EROFS_SLOT_BYTES;
    return erofs_window_expect_zero(&check->records, check->meta_offset, check->cursor - check->meta_offset, error);
}

/* ---- one inode ------------------------------------------------------------------------------------------------- */

/* The record must stand where the format puts it: behind the one before, in the next block only if it does not fit. */
static int check_place(struct check *check, const struct erofs_record *record, struct bh_error *error)
{
    uint64_t n_bytes = erofs_record_bytes(record);
    uint64_t in_block = record->offset % BH_EROFS_BLOCK_BYTES;
    if (n_bytes > BH_EROFS_BLOCK_BYTES ? in_block != 0 || record->tail_bytes != 0
                                       : in_block + n_bytes > BH_EROFS_BLOCK_BYTES) {
        return erofs_refuse(error, record->nid, "its record crosses a block boundary");
    }
    uint64_t gap = record->offset - check->cursor;
    if (gap > 0 && (in_block != 0 || gap >= BH_EROFS_BLOCK_BYTES || n_bytes <= gap)) {
        return erofs_refuse(error, record->nid, "its record does not follow the one before it");
    }
    return erofs_window_expect_zero(&check->records, check->cursor, gap, error);
}

/* Takes the blocks that hold `n_bytes` from the first on; what is left of the last one must be zero. */
static int own_blocks(struct check *check, const struct erofs_record *record, uint64_t n_bytes, struct bh_error *error)
{
    uint64_t n_blocks = erofs_blocks_of(n_bytes);
    uint64_t used = n_bytes % BH_EROFS_BLOCK_BYTES;
    if (erofs_blocks_take(&check->owned, record, n_blocks, error) < 0) {
        return -1;
    }
    return used == 0
               ? 0
               : erofs_window_expect_zero(&check->remainder, (record->u + n_blocks - 1) * BH_EROFS_BLOCK_BYTES + used,
                                          BH_EROFS_BLOCK_BYTES - used, error);
}

static int check_symlink(struct check *check, const struct erofs_record *record, struct bh_error *error)
{
    const uint8_t *target = NULL;
    if (record->size < 1 || record->size > BH_EROFS_SYMLINK_MAX) {
        return erofs_refuse(error, record->nid, "it is a symlink whose target is not of 1 to 4095 bytes");
    }
    if (!record->in_line &&
        sizeof(struct bh_erofs_inode) + record->xattr_bytes + record->size <= BH_EROFS_BLOCK_BYTES) {
        return erofs_refuse(error, record->nid, "it is a symlink whose target would fit into its record");
    }
    uint64_t at = record->in_line ? record->offset + sizeof(struct bh_erofs_inode) + record->xattr_bytes
                                  : (uint64_t)record->u * BH_EROFS_BLOCK_BYTES;
    if (own_blocks(check, record, record->in_line ? 0 : record->size, error) < 0 ||
        erofs_window_get(record->in_line ? &check->records : &check->remainder, at, (size_t)record->size, &target,
                         error) < 0) {
        return -1;
    }
    return memchr(target, '\0', (size_t)record->size) ? erofs_refuse(error, record->nid, "its target has a NUL") : 0;
}

/* What each type may say of size, blocks and links. */
static int check_type(struct check *check, const struct erofs_record *record, struct bh_error *error)
{
    bool directory = record->file_type == BH_EROFS_TYPE_DIRECTORY;
    if (directory ? record->nlink < 2 : record->nlink < 1 || record->nlink > BH_EROFS_LINK_MAX) {
        return erofs_refuse(error, record->nid, "its link count is out of range");
    }
    switch (record->file_type) {
    case BH_EROFS_TYPE_REGULAR:
        if (record->in_line) {
            return erofs_refuse(error, record->nid, "it is a regular file with an inline tail");
        }
        if (__builtin_add_overflow(check->content_bytes, record->size, &check->content_bytes)) {
            return erofs_refuse(error, record->nid, "the sum of all sizes overflows");
        }
        return own_blocks(check, record, record->size, error);
    case BH_EROFS_TYPE_DIRECTORY:
        if (record->size < 1 || record->size > BH_EROFS_DIRECTORY_MAX) {
            return erofs_refuse(error, record->nid, "it is a directory of no bytes or more than 2^31 - 1");
        }
        return own_blocks(check, record, record->size - record->tail_bytes, error);
    case BH_EROFS_TYPE_SYMLINK:
        return check_symlink(check, record, error);
    default: /* devices and FIFOs */
        if (record->in_line || record->size != 0) {
            return erofs_refuse(error, record->nid, "it is a device or FIFO with content");
        }
        if (record->file_type == BH_EROFS_TYPE_FIFO && record->u != 0) {
            return erofs_refuse(error, record->nid, "it is a FIFO with a device number");
        }
        if (record->file_type == BH_EROFS_TYPE_CHARACTER && record->u == 0 &&
            (record->nlink != 1 || record->xattr_bytes != 0)) {
            return erofs_refuse(error, record->nid, "it is a whiteout with several links or attributes");
        }
        return 0;
    }
}

/* ---- meeting inodes -------------------------------------------------------------------------------------------- */

/* Checks the record at `offset`, which must be the next one, and remembers it. `parent` is an index. */
static int meet(struct check *check, uint64_t offset, uint64_t parent, uint8_t *ret_file_type, struct bh_error *error)
{
    struct erofs_record record;
    const uint8_t *bytes = NULL;
    if (check->n_met >= check->n_inodes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "layer image: more inodes than the %" PRIu64 " it says",
                            check->n_inodes);
    }
    if (erofs_record_read(&check->records, check->meta_offset, offset, &record, error) < 0 ||
        check_place(check, &record, error) < 0 ||
        erofs_window_get(&check->records, offset, (size_t)erofs_record_bytes(&record), &bytes, error) < 0) {
        return -1;
    }
    if (record.ino != check->n_met + 1) {
        return erofs_refuse(error, record.nid, "its number is not its place among the inodes");
    }
    bool directory = record.file_type == BH_EROFS_TYPE_DIRECTORY;
    if (record.xattr_bytes > 0 &&
        erofs_xattr_check(bytes + sizeof(struct bh_erofs_inode), record.xattr_bytes, directory, error) < 0) {
        return bh_error_wrap(error, "layer image: inode %" PRIu64, record.nid);
    }
    if (check_type(check, &record, error) < 0) {
        return -1;
    }
    uint64_t end = offset + erofs_record_bytes(&record);
    uint64_t padding = (BH_EROFS_SLOT_BYTES - end % BH_EROFS_SLOT_BYTES) % BH_EROFS_SLOT_BYTES;
    if (erofs_window_expect_zero(&check->records, end, padding, error) < 0) {
        return -1;
    }
    check->cursor = end + padding;
    check->met[check->n_met++] = (struct met){.nid = (uint32_t)record.nid,
                                              .file_type = record.file_type & 15U,
                                              .link = (directory ? (uint32_t)parent : record.nlink - 1) & 0xfffffffU};
    *ret_file_type = record.file_type;
    return 0;
}

/* The inode that was met before under this number, or NULL. Records were met in ascending order. */
static struct met *find_met(struct check *check, uint64_t nid)
{
    uint64_t low = 0;
    uint64_t high = check->n_met;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (check->met[middle].nid < nid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < check->n_met && check->met[low].nid == nid ? &check->met[low] : NULL;
}

/* A further name for an inode that is known. */
static int check_hard_link(struct check *check, const struct erofs_name *name, struct bh_error *error)
{
    struct met *met = find_met(check, name->nid);
    if (!met) {
        return erofs_refuse(error, name->nid, "a name points into the middle of a record");
    }
    if (met->file_type == BH_EROFS_TYPE_DIRECTORY) {
        return erofs_refuse(error, name->nid, "a second name for a directory");
    }
    if (met->file_type != name->file_type) {
        return erofs_refuse(error, name->nid, "a name gives it another type than its mode");
    }
    if (met->link == 0) {
        return erofs_refuse(error, name->nid, "more names than its link count");
    }
    met->link--;
    return 0;
}

static int visit_name(const struct erofs_name *name, void *argument, struct bh_error *error)
{
    struct walk *walk = argument;
    struct check *check = walk->check;
    if (++check->n_names > EROFS_NAMES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "layer image: more than %llu names", EROFS_NAMES_MAX);
    }
    uint64_t n_slots = (check->image_bytes - check->meta_offset) / BH_EROFS_SLOT_BYTES;
    if (name->nid >= n_slots) {
        return erofs_refuse(error, name->nid, "a name points outside the metadata");
    }
    uint64_t offset = check->meta_offset + name->nid * BH_EROFS_SLOT_BYTES;
    if (offset < check->cursor) {
        return check_hard_link(check, name, error);
    }
    uint8_t file_type = 0;
    if (meet(check, offset, walk->index, &file_type, error) < 0) {
        return -1;
    }
    if (file_type != name->file_type) {
        return erofs_refuse(error, name->nid, "a name gives it another type than its mode");
    }
    walk->n_directories += file_type == BH_EROFS_TYPE_DIRECTORY;
    return 0;
}

/* ---- directories ----------------------------------------------------------------------------------------------- */

static int walk_blocks(struct walk *walk, const struct erofs_record *record, struct bh_error *error)
{
    struct check *check = walk->check;
    struct erofs_directory directory = {.last_name_bytes = 0};
    uint64_t parent_nid = check->met[check->met[walk->index].link].nid;
    for (uint64_t at = 0; at < record->size; at += BH_EROFS_BLOCK_BYTES) {
        uint64_t left = record->size - at;
        bool last = left <= BH_EROFS_BLOCK_BYTES;
        size_t n_bytes = last ? (size_t)left : BH_EROFS_BLOCK_BYTES;
        bool tail = last && record->in_line;
        uint64_t offset = tail ? record->offset + sizeof(struct bh_erofs_inode) + record->xattr_bytes
                               : (uint64_t)record->u * BH_EROFS_BLOCK_BYTES + at;
        const uint8_t *block = NULL;
        if (erofs_window_get(tail ? &check->parents : &check->blocks, offset, n_bytes, &block, error) < 0 ||
            erofs_directory_check_block(&directory, block, n_bytes, last, record->nid, parent_nid, visit_name, walk,
                                        error) < 0) {
            return -1;
        }
    }
    return erofs_directory_check_end(&directory, error);
}

static int walk_directory(struct check *check, uint64_t index, struct bh_error *error)
{
    struct erofs_record record;
    struct walk walk = {.check = check, .index = index};
    uint64_t nid = check->met[index].nid;
    if (erofs_record_read(&check->parents, check->meta_offset, check->meta_offset + nid * BH_EROFS_SLOT_BYTES, &record,
                          error) < 0) {
        return -1;
    }
    if (walk_blocks(&walk, &record, error) < 0) {
        return bh_error_wrap(error, "layer image: directory %" PRIu64, nid);
    }
    if (record.nlink != walk.n_directories + 2) {
        return erofs_refuse(error, nid, "its link count is not 2 and one for each child directory");
    }
    return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------------------- */

static int check_end(struct check *check, struct bh_error *error)
{
    if (check->n_met != check->n_inodes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "layer image: %" PRIu64 " inodes are named, %" PRIu64 " are counted", check->n_met,
                            check->n_inodes);
    }
    for (uint64_t i = 0; i < check->n_met; i++) {
        if (check->met[i].file_type != BH_EROFS_TYPE_DIRECTORY && check->met[i].link != 0) {
            return erofs_refuse(error, check->met[i].nid, "fewer names than its link count");
        }
    }
    if (erofs_blocks_check_end(&check->owned, error) < 0) {
        return -1;
    }
    if (check->image_bytes - check->cursor >= BH_EROFS_BLOCK_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "layer image: blocks behind the last inode");
    }
    return erofs_window_expect_zero(&check->records, check->cursor, check->image_bytes - check->cursor, error);
}

static int check_image(struct check *check, struct bh_error *error)
{
    uint8_t file_type = 0;
    if (check_superblock(check, error) < 0) {
        return -1;
    }
    check->met = calloc(check->n_inodes, sizeof(*check->met));
    if (!check->met) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for %" PRIu64 " inodes", check->n_inodes);
    }
    if (erofs_blocks_open(&check->owned, check->meta_offset / BH_EROFS_BLOCK_BYTES, error) < 0 ||
        meet(check, check->cursor, 0, &file_type, error) < 0) {
        return -1;
    }
    if (file_type != BH_EROFS_TYPE_DIRECTORY) {
        return erofs_refuse(error, BH_EROFS_ROOT_NID, "the root is not a directory");
    }
    for (uint64_t i = 0; i < check->n_met; i++) {
        if (check->met[i].file_type == BH_EROFS_TYPE_DIRECTORY && walk_directory(check, i, error) < 0) {
            return -1;
        }
    }
    return check_end(check, error);
}

static void close_check(struct check *check)
{
    erofs_window_close(&check->records);
    erofs_window_close(&check->parents);
    erofs_window_close(&check->blocks);
    erofs_window_close(&check->remainder);
    free(check->met);
    erofs_blocks_close(&check->owned);
}

static int image_size(int fd, uint64_t *ret_bytes, struct bh_error *error)
{
    off_t end = lseek(fd, 0, SEEK_END);
    if (end < 0) {
        return bh_error_errno(error, errno, "find the end of a layer image");
    }
    uint64_t n_bytes = (uint64_t)end;
    if (n_bytes < 2ULL * BH_EROFS_BLOCK_BYTES || n_bytes % BH_EROFS_BLOCK_BYTES != 0 ||
        n_bytes > EROFS_IMAGE_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "layer image: a file of %" PRIu64
                            " bytes, must be at least 2 whole blocks and at most %llu",
                            n_bytes, EROFS_IMAGE_BYTES_MAX);
    }
    *ret_bytes = n_bytes;
    return 0;
}

int erofs_check(int fd, struct erofs_summary *ret_summary, struct bh_error *error)
{
    bh_cleanup(close_check) struct check check = {.image_bytes = 0};
    if (image_size(fd, &check.image_bytes, error) < 0 ||
        erofs_window_open(&check.records, fd, check.image_bytes, EROFS_WINDOW_WIDE_BYTES, error) < 0 ||
        erofs_window_open(&check.parents, fd, check.image_bytes, EROFS_WINDOW_WIDE_BYTES, error) < 0 ||
        erofs_window_open(&check.blocks, fd, check.image_bytes, EROFS_WINDOW_WIDE_BYTES, error) < 0 ||
        erofs_window_open(&check.remainder, fd, check.image_bytes, EROFS_WINDOW_BLOCK_BYTES, error) < 0 ||
        check_image(&check, error) < 0) {
        return -1;
    }
    *ret_summary = (struct erofs_summary){
        .image_bytes = check.image_bytes, .content_bytes = check.content_bytes, .inodes = check.n_inodes};
    return 0;
}
