/* SPDX-License-Identifier: Apache-2.0
 *
 * The on-disk form of a layer image: EROFS (Linux Documentation/filesystems/erofs.rst), narrowed to the few shapes
 * that we write. The extractor writes it, the store's checker holds it to every rule below before it is sealed, the
 * executor mounts it. Neither of the two shares code with the other: this file is the contract. All numbers are
 * little-endian.
 *
 * ---- Layout of the file --------------------------------------------------------------------------------------------
 *
 * block 0                        1024 zero bytes, the superblock (128 bytes), zeros blocks 1 .. D-1
 * contents of regular files, each from a block boundary, in the order they came blocks D .. M-1                whole
 * blocks of directories, and long symlink targets blocks M .. N-1                the metadata area: 64 zero bytes,
 * then inodes; M = meta_blkaddr, N = blocks
 *
 * A block is 4096 bytes; the file is exactly N * 4096 bytes long (at least 2 blocks); what is not described here is
 * zero, also the rest of every last block. File contents may be holes of the host's file. M >= 1.
 *
 * ---- Superblock ----------------------------------------------------------------------------------------------------
 *
 * magic; checksum 0; feature_compat exactly BH_EROFS_COMPAT; feature_incompat 0 (no compression, chunks, fragments,
 * devices, prefixes, 48-bit addresses...); block_bits 12; root_nid BH_EROFS_ROOT_NID; inodes: how many there are;
 * blocks N; meta_blkaddr M; every other field 0.
 *
 * ---- Metadata area -------------------------------------------------------------------------------------------------
 *
 * nid n stands for the 32-byte slot at byte M * 4096 + 32 * n. Slots 0 and 1 are zero so that no inode has number 0.
 * The root follows in slot 2, then all other inodes, each once, in breadth-first order: the children of the first
 * directory in the order of their names, then those of the next directory... A hard link's inode stands where it is
 * met first. Therefore a directory's nid is greater than its parent's (no cycles are possible), and a directory is
 * named by exactly one entry beside "." and "..".
 *
 * An inode record is: struct bh_erofs_inode (64 bytes), its xattrs (xattr_icount says how long), its inline tail. It
 * starts at the next multiple of 32. A record of up to 4096 bytes never crosses a block boundary: where it does not
 * fit, the rest of the block is zero and the record starts the next block (a scan can tell: `format` is never 0). A
 * longer record (many xattrs) has no inline tail and starts at a block boundary.
 *
 * ---- Inodes --------------------------------------------------------------------------------------------------------
 *
 * format     BH_EROFS_FORMAT_PLAIN or BH_EROFS_FORMAT_INLINE
 * mode       type S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK or S_IFIFO (no sockets), and any of 07777
 * ino        1 for the root, counting up in the order of the records
 * mtime      signed seconds, mtime_nsec < 1000000000
 * nlink      directories: 2 + number of child directories; others: number of entries that name them, 1..65535
 *
 * S_IFREG    PLAIN. u is the first block of ceil(size / 4096) blocks inside 1 .. D-1; size 0 has u 0.
 * S_IFDIR    size as below, at most 2^31 - 1. INLINE: u is the first of floor(size / 4096) blocks inside D .. M-1 (0
 *            if none), and the last size % 4096 bytes, which are at least 1, are the inline tail. PLAIN: ceil(size /
 *            4096) blocks inside D .. M-1.
 * S_IFLNK    size 1..4095, no NUL. INLINE: u is 0, and the target is the inline tail. PLAIN: u is its one block
 *            inside D .. M-1. PLAIN only where INLINE would make the record longer than 4096.
 * S_IFCHR,   PLAIN, size 0; u is the device number as new_encode_dev() packs it. Character device 0:0 is an overlayfs
 * S_IFBLK    whiteout: link count 1, no xattrs.
 * S_IFIFO    PLAIN, size 0, u 0.
 *
 * ---- Directories ---------------------------------------------------------------------------------------------------
 *
 * A directory's content is a row of blocks, all but the last 4096 bytes. Each block: struct bh_erofs_dirent for each
 * of its entries, then their names in the same order, back to back, without NUL; name_offset of the first is 12 *
 * (entries in this block). A name ends where the next begins; the last one ends where the zeros begin, or with the
 * block. The last block's size is exactly what it uses, so that it has no zeros. No block is empty, and an entry goes
 * to the next block only if it does not fit. Names are 1..255 bytes, without '/' and NUL, and strictly ascending
 * bytewise (memcmp, then length) over the whole directory; "." (its own nid) and ".." (its parent's; the root's own
 * for the root) stand among them in that same order.
 *
 * ---- Extended attributes -------------------------------------------------------------------------------------------
 *
 * xattr_icount 0: none. Else the area has 12 + 4 * (xattr_icount - 1) bytes, at most BH_EROFS_XATTR_AREA_MAX: struct
 * bh_erofs_xattr_header, all zero (nothing is shared), then one or more struct bh_erofs_xattr_entry, each followed by
 * its name (without the part that name_index stands for), its value, and zeros up to a multiple of 4. No name comes
 * twice in an inode. What may stand there:
 *
 *   BH_EROFS_XATTR_USER         name 1..255 bytes without NUL ("user." + name), not beginning with "overlay.": there are
 *                               mount options under which overlayfs believes those
 *   BH_EROFS_XATTR_ACL_ACCESS   empty name; value as in system.posix_acl_access (version 2)
 *   BH_EROFS_XATTR_ACL_DEFAULT  empty name; directories only
 *   BH_EROFS_XATTR_SECURITY     only "capability"
 *   BH_EROFS_XATTR_TRUSTED      only "overlay.opaque" with value "y", directories only
 */
#pragma once

#include <assert.h>
#include <stdint.h>

#define BH_EROFS_MAGIC           0xE0F5E1E2U
#define BH_EROFS_SUPER_OFFSET    1024U
#define BH_EROFS_BLOCK_BITS      12U
#define BH_EROFS_BLOCK_BYTES     4096U
#define BH_EROFS_SLOT_BYTES      32U
#define BH_EROFS_ROOT_NID        2U
#define BH_EROFS_COMPAT          0x00000002U /* EROFS_FEATURE_COMPAT_MTIME: times are modification times */
#define BH_EROFS_NAME_MAX        255U
#define BH_EROFS_SYMLINK_MAX     4095U
#define BH_EROFS_XATTR_AREA_MAX  65536U /* what listxattr(2) and its callers can still handle */
#define BH_EROFS_XATTR_VALUE_MAX 65535U /* value_bytes has 16 bits */
#define BH_EROFS_LINK_MAX        65535U
#define BH_EROFS_DIRECTORY_MAX   0x7fffffffU

/* bit 0: the 64-byte form; bits 1..3: EROFS_INODE_FLAT_PLAIN (0) or EROFS_INODE_FLAT_INLINE (2). */
#define BH_EROFS_FORMAT_PLAIN  0x0001U
#define BH_EROFS_FORMAT_INLINE 0x0005U

enum bh_erofs_file_type { /* in directory entries */
                          BH_EROFS_TYPE_REGULAR = 1,
                          BH_EROFS_TYPE_DIRECTORY = 2,
                          BH_EROFS_TYPE_CHARACTER = 3,
                          BH_EROFS_TYPE_BLOCK = 4,
                          BH_EROFS_TYPE_FIFO = 5,
                          BH_EROFS_TYPE_SYMLINK = 7,
};

enum bh_erofs_xattr_index {
    BH_EROFS_XATTR_USER = 1,
    BH_EROFS_XATTR_ACL_ACCESS = 2,
    BH_EROFS_XATTR_ACL_DEFAULT = 3,
    BH_EROFS_XATTR_TRUSTED = 4,
    BH_EROFS_XATTR_SECURITY = 6,
};

struct __attribute__((packed)) bh_erofs_super {
    uint32_t magic;
    uint32_t checksum;
    uint32_t feature_compat;
    uint8_t block_bits;
    uint8_t extension_slots;
    uint16_t root_nid;
    uint64_t inodes;
    uint64_t build_time;
    uint32_t build_time_nsec;
    uint32_t blocks;
    uint32_t meta_blkaddr;
    uint32_t xattr_blkaddr;
    uint8_t uuid[16];
    uint8_t volume_name[16];
    uint32_t feature_incompat;
    uint8_t unused[44]; /* compression, devices, prefixes, packed inode...: 0 */
};
static_assert(sizeof(struct bh_erofs_super) == 128, "superblock");

struct __attribute__((packed)) bh_erofs_inode {
    uint16_t format;
    uint16_t xattr_icount;
    uint16_t mode;
    uint16_t reserved; /* 0 */
    uint64_t size;
    uint32_t u; /* first block, or device number */
    uint32_t ino;
    uint32_t uid;
    uint32_t gid;
    uint64_t mtime; /* two's complement */
    uint32_t mtime_nsec;
    uint32_t nlink;
    uint8_t reserved2[16]; /* 0 */
};
static_assert(sizeof(struct bh_erofs_inode) == 64, "extended inode");

struct __attribute__((packed)) bh_erofs_dirent {
    uint64_t nid;
    uint16_t name_offset; /* from the start of this block of the directory */
    uint8_t file_type;    /* enum bh_erofs_file_type, as the inode's mode says */
    uint8_t reserved;     /* 0 */
};
static_assert(sizeof(struct bh_erofs_dirent) == 12, "dirent");

struct __attribute__((packed)) bh_erofs_xattr_header {
    uint32_t name_filter; /* 0 */
    uint8_t shared_count; /* 0 */
    uint8_t reserved[7];  /* 0 */
};
static_assert(sizeof(struct bh_erofs_xattr_header) == 12, "xattr header");

struct __attribute__((packed)) bh_erofs_xattr_entry {
    uint8_t name_bytes;
    uint8_t name_index; /* enum bh_erofs_xattr_index */
    uint16_t value_bytes;
    /* name, value, padding to 4 */
};
static_assert(sizeof(struct bh_erofs_xattr_entry) == 4, "xattr entry");

/* The device number as new_encode_dev() packs it: 12 bits of major, 20 bits of minor. */
static inline uint32_t bh_erofs_device(uint32_t major, uint32_t minor)
{
    return (minor & 0xffU) | (major << 8) | ((minor & ~0xffU) << 12);
}
