/* SPDX-License-Identifier: Apache-2.0
 *
 * Inodes of a layer image; see erofs_inode.h.
 */
#include "erofs_inode.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "common/erofs_format.h"

int erofs_refuse(struct bh_error *error, uint64_t nid, const char *what)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "layer image: inode %" PRIu64 ": %s", nid, what);
}

static uint8_t file_type_of(uint32_t mode)
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
    case S_IFIFO:
        return BH_EROFS_TYPE_FIFO;
    default:
        return 0;
    }
}

uint64_t erofs_record_bytes(const struct erofs_record *record)
{
    return sizeof(struct bh_erofs_inode) + record->xattr_bytes + record->tail_bytes;
}

int erofs_record_read(struct erofs_window *window, uint64_t meta_offset, uint64_t offset,
                      struct erofs_record *ret_record, struct bh_error *error)
{
    const uint8_t *bytes = NULL;
    uint64_t nid = (offset - meta_offset) / BH_EROFS_SLOT_BYTES;
    struct bh_erofs_inode inode;
    if (erofs_window_get(window, offset, sizeof(inode), &bytes, error) < 0) {
        return -1;
    }
    memcpy(&inode, bytes, sizeof(inode));
    uint16_t format = le16toh(inode.format);
    uint16_t icount = le16toh(inode.xattr_icount);
    struct erofs_record record = {.offset = offset,
                                  .nid = nid,
                                  .in_line = format == BH_EROFS_FORMAT_INLINE,
                                  .file_type = file_type_of(le16toh(inode.mode)),
                                  .u = le32toh(inode.u),
                                  .ino = le32toh(inode.ino),
                                  .nlink = le32toh(inode.nlink),
                                  .size = le64toh(inode.size)};
    static const uint8_t zero[sizeof(inode.reserved2)];
    if (format != BH_EROFS_FORMAT_PLAIN && format != BH_EROFS_FORMAT_INLINE) {
        return erofs_refuse(error, nid, "its format is neither flat nor flat with an inline tail");
    }
    if (inode.reserved != 0 || memcmp(inode.reserved2, zero, sizeof(zero)) != 0) {
        return erofs_refuse(error, nid, "a reserved field is not 0");
    }
    if (record.file_type == 0) {
        return erofs_refuse(error, nid, "its mode has a type that is not allowed");
    }
    if (le32toh(inode.mtime_nsec) >= 1000000000U) {
        return erofs_refuse(error, nid, "its time has more than 999999999 nanoseconds");
    }
    if (icount > 0) {
        record.xattr_bytes = sizeof(struct bh_erofs_xattr_header) + 4 * ((size_t)icount - 1);
    }
    if (record.xattr_bytes > BH_EROFS_XATTR_AREA_MAX) {
        return erofs_refuse(error, nid, "its attributes need more than 64 KiB");
    }
    if (record.in_line) {
        record.tail_bytes = (size_t)(record.size % BH_EROFS_BLOCK_BYTES);
        if (record.tail_bytes == 0) {
            return erofs_refuse(error, nid, "it has an inline tail of no bytes");
        }
    }
    *ret_record = record;
    return 0;
}
