/* SPDX-License-Identifier: Apache-2.0
 *
 * Disks; see disk.h.
 */
#include "disk.h"

#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "loop.h"

#define BLOCK_BYTES          4096ULL
#define JOURNAL_FROM_BYTES   (64 * BH_MIB) /* smaller ones have no room for a journal */
#define JOURNAL_BLOCKS       1024U         /* the least the kernel takes: 4 MiB */
#define JOURNAL_LARGE_FROM   (8 * BH_GIB)
#define JOURNAL_LARGE_BLOCKS 16384U
#define INODE_BYTES          256
#define FIRST_INODE          11

static int failed(struct bh_error *error, errcode_t code, const char *what)
{
    return bh_error_set(error, code == ENOSPC ? BH_RESOURCE_EXHAUSTED : BH_INTERNAL, "make a disk: %s: error %ld (%s)",
                        what, (long)code, code > 0 && code < 256 ? strerror((int)code) : "libext2fs");
}

static void describe(struct ext2_super_block *parameters, uint64_t bytes)
{
    memset(parameters, 0, sizeof(*parameters));
    parameters->s_log_block_size = 2; /* 4 KiB */
    parameters->s_log_cluster_size = 2;
    parameters->s_rev_level = EXT2_DYNAMIC_REV;
    parameters->s_inode_size = INODE_BYTES;
    parameters->s_desc_size = EXT2_MIN_DESC_SIZE_64BIT;
    ext2fs_blocks_count_set(parameters, bytes / BLOCK_BYTES);
    parameters->s_feature_compat = EXT2_FEATURE_COMPAT_DIR_INDEX | EXT2_FEATURE_COMPAT_EXT_ATTR;
    parameters->s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
                                     EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG;
    parameters->s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
                                      EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
                                      EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
    parameters->s_log_groups_per_flex = 4;
    parameters->s_first_ino = FIRST_INODE;
}

/* The inodes that have a number of their own, and a root folder that belongs to the container's root. */
static errcode_t make_root(ext2_filsys fs, uint32_t owner)
{
    struct ext2_inode root;
    errcode_t code = ext2fs_mkdir(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, NULL);
    for (ext2_ino_t inode = EXT2_ROOT_INO + 1; !code && inode < EXT2_FIRST_INODE(fs->super); inode++) {
        ext2fs_inode_alloc_stats2(fs, inode, +1, 0);
    }
    if (!code) {
        ext2fs_inode_alloc_stats2(fs, EXT2_BAD_INO, +1, 0);
        code = ext2fs_update_bb_inode(fs, NULL);
    }
    if (!code) {
        code = ext2fs_read_inode(fs, EXT2_ROOT_INO, &root);
    }
    if (code) {
        return code;
    }
    root.i_uid = (uint16_t)owner;
    root.i_gid = (uint16_t)owner;
    root.osd2.linux2.l_i_uid_high = (uint16_t)(owner >> 16);
    root.osd2.linux2.l_i_gid_high = (uint16_t)(owner >> 16);
    root.i_mode = LINUX_S_IFDIR | 0755;
    return ext2fs_write_inode(fs, EXT2_ROOT_INO, &root);
}

/* The file is new and all holes: its inode tables read as zeros, which need not be written. */
static void tables_are_zero(ext2_filsys fs)
{
    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_ZEROED);
        ext2fs_group_desc_csum_set(fs, group);
    }
}

static errcode_t fill(ext2_filsys fs, uint64_t bytes, uint32_t owner, bool journal)
{
    errcode_t code = ext2fs_allocate_tables(fs);
    if (!code) {
        tables_are_zero(fs);
        code = make_root(fs, owner);
    }
    if (!code && journal && bytes >= JOURNAL_FROM_BYTES) {
        code = ext2fs_add_journal_inode(fs, bytes >= JOURNAL_LARGE_FROM ? JOURNAL_LARGE_BLOCKS : JOURNAL_BLOCKS,
                                        EXT2_MKJOURNAL_LAZYINIT);
    }
    return code;
}

static int write_file_system(int file, uint64_t bytes, uint32_t owner, bool journal, struct bh_error *error)
{
    struct ext2_super_block parameters;
    ext2_filsys fs = NULL;
    char path[32];
    describe(&parameters, bytes);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    errcode_t code = ext2fs_initialize(path, EXT2_FLAG_64BITS, &parameters, unix_io_manager, &fs);
    if (code) {
        return failed(error, code, "begin");
    }
    fs->super->s_creator_os = EXT2_OS_LINUX;
    fs->super->s_checksum_type = EXT2_CRC32C_CHKSUM;
    fs->super->s_state |= EXT2_VALID_FS;
    fs->super->s_min_extra_isize = fs->super->s_want_extra_isize = 32;
    fs->super->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
    fs->super->s_def_hash_version = EXT2_HASH_HALF_MD4;
    fs->super->s_max_mnt_count = -1;
    fs->umask = 022;
    if (getrandom(fs->super->s_uuid, sizeof(fs->super->s_uuid), 0) < 0 ||
        getrandom(fs->super->s_hash_seed, sizeof(fs->super->s_hash_seed), 0) < 0) {
        (void)ext2fs_free(fs);
        return bh_error_errno(error, errno, "make a disk: random bytes");
    }
    ext2fs_init_csum_seed(fs);
    code = fill(fs, bytes, owner, journal);
    if (code) {
        ext2fs_free(fs);
        return failed(error, code, "lay it out");
    }
    code = ext2fs_close_free(&fs);
    return code ? failed(error, code, "write it") : 0;
}

int disk_check_size(uint64_t bytes, struct bh_error *error)
{
    return bytes < BH_DISK_BYTES_MIN || bytes > BH_DISK_BYTES_MAX
               ? bh_error_set(error, BH_INVALID_ARGUMENT, "a size of %llu bytes must be between %llu and %llu",
                              (unsigned long long)bytes, (unsigned long long)BH_DISK_BYTES_MIN,
                              (unsigned long long)BH_DISK_BYTES_MAX)
               : 0;
}

int disk_make(int folder, uint64_t bytes, uint32_t owner, bool journal, struct bh_error *error)
{
    if (disk_check_size(bytes, error) < 0) {
        return -1;
    }
    bytes -= bytes % BLOCK_BYTES;
    /* Without a name until it is whole, so that a half-made one is never found. */
    bh_autoclose int file = openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char path[32];
    if (file < 0 || ftruncate(file, (off_t)bytes) < 0) {
        return bh_error_errno(error, errno, "make a disk of %llu bytes", (unsigned long long)bytes);
    }
    if (write_file_system(file, bytes, owner, journal, error) < 0) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    return linkat(AT_FDCWD, path, folder, DISK_NAME, AT_SYMLINK_FOLLOW) < 0
               ? bh_error_errno(error, errno, "put a disk in its place")
               : 0;
}

static int mount_device(int loop, int *ret_mount, struct bh_error *error)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", loop);
    bh_autoclose int context = fsopen("ext4", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", path, 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_FLAG, "discard", NULL, 0) < 0 || /* what is deleted inside is free outside */
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "mount a disk");
    }
    *ret_mount = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
    return *ret_mount < 0 ? bh_error_errno(error, errno, "mount a disk") : 0;
}

int disk_mount(int folder, int *ret_mount, struct bh_error *error)
{
    struct stat status;
    bh_autoclose int loop = -1;
    bh_autoclose int file = openat(folder, DISK_NAME, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0) {
        return bh_error_errno(error, errno, "open a disk");
    }
    if (!S_ISREG(status.st_mode)) {
        return bh_error_set(error, BH_DATA_LOSS, "a disk is not one of ours: it is no regular file");
    }
    /* Held until the mount is there: whoever mounts the same disk meanwhile finds our loop device. By an opening of its
     * own, for the loop device keeps the other one. */
    bh_autoclose int lock = openat(folder, DISK_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX) < 0) {
        return bh_error_errno(error, errno, "lock a disk");
    }
    return loop_share(file, &loop, error) < 0 ? -1 : mount_device(loop, ret_mount, error);
}

int disk_usage(int mount, uint64_t *ret_used_bytes, uint64_t *ret_bytes, struct bh_error *error)
{
    struct statvfs status;
    if (fstatvfs(mount, &status) < 0) {
        return bh_error_errno(error, errno, "measure a disk");
    }
    *ret_used_bytes = (uint64_t)(status.f_blocks - status.f_bfree) * status.f_frsize;
    *ret_bytes = (uint64_t)status.f_blocks * status.f_frsize;
    return 0;
}
