/* SPDX-License-Identifier: Apache-2.0
 *
 * Project quotas; see project.h. The file system is named by a descriptor on it (quotactl_fd): no path, no device.
 */
#include "project.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/limits.h"

#define ATTEMPTS     64
#define COUNT_BYTES  512ULL  /* what the kernel counts in, on every file system */
#define BLOCK_BYTES  4096ULL /* what it gives out */
#define FIRST_INODES 16ULL   /* the folders that are there before anything is written */

/* The commands are xfs's, which the kernel answers for every file system that has quotas. */
static int call(int folder, unsigned int command, uint32_t id, void *argument)
{
    return (int)syscall(SYS_quotactl_fd, folder, QCMD(command, PRJQUOTA), id, argument);
}

bool project_is_enforced(int folder)
{
    struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};
    return call(folder, Q_XGETQSTATV, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

/* What is counted and allowed for an id. One the kernel knows nothing of has nothing. */
static int read_quota(int folder, uint32_t id, struct fs_disk_quota *ret_quota, struct bh_error *error)
{
    memset(ret_quota, 0, sizeof(*ret_quota));
    return call(folder, Q_XGETQUOTA, id, ret_quota) < 0 && errno != ENOENT && errno != ESRCH
               ? bh_error_errno(error, errno, "read the quota of project %u", id)
               : 0;
}

/* In bytes, rounded down to whole blocks; 0: no limit. A file may be empty, and costs its inode all the same: there are
 * as many as blocks. */
static int write_limit(int folder, uint32_t id, uint64_t bytes, struct bh_error *error)
{
    const uint64_t blocks = bytes / BLOCK_BYTES, inodes = blocks ? blocks + FIRST_INODES : 0;
    struct fs_disk_quota quota = {.d_version = FS_DQUOT_VERSION,
                                  .d_flags = FS_PROJ_QUOTA,
                                  .d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT | FS_DQ_IHARD | FS_DQ_ISOFT,
                                  .d_id = id,
                                  .d_blk_hardlimit = blocks * (BLOCK_BYTES / COUNT_BYTES),
                                  .d_ino_hardlimit = inodes};
    return call(folder, Q_XSETQLIM, id, &quota) < 0
               ? bh_error_errno(error, errno, "limit project %u to %llu bytes", id, (unsigned long long)bytes)
               : 0;
}

static int read_id(int folder, uint32_t *ret_id, struct bh_error *error)
{
    struct fsxattr attributes;
    *ret_id = 0;
    if (ioctl(folder, FS_IOC_FSGETXATTR, &attributes) < 0) {
        return errno == ENOTTY || errno == EOPNOTSUPP ? 0 : bh_error_errno(error, errno, "read a folder's project id");
    }
    *ret_id = attributes.fsx_projid;
    return 0;
}

/* 0: none, and nothing made below inherits one. */
static int write_id(int folder, uint32_t id, struct bh_error *error)
{
    struct fsxattr attributes;
    if (ioctl(folder, FS_IOC_FSGETXATTR, &attributes) < 0) {
        return bh_error_errno(error, errno, "read a folder's project id");
    }
    attributes.fsx_projid = id;
    attributes.fsx_xflags = (attributes.fsx_xflags & ~(uint32_t)FS_XFLAG_PROJINHERIT) | (id ? FS_XFLAG_PROJINHERIT : 0);
    return ioctl(folder, FS_IOC_FSSETXATTR, &attributes) < 0
               ? bh_error_errno(error, errno, "set a folder's project id to %u", id)
               : 0;
}

static bool is_ours(uint32_t id)
{
    return id >= PROJECT_ID_FIRST && id - PROJECT_ID_FIRST < PROJECT_IDS;
}

static bool has_limit(const struct fs_disk_quota *quota)
{
    return quota->d_blk_hardlimit || quota->d_blk_softlimit || quota->d_ino_hardlimit || quota->d_ino_softlimit;
}

/* Gives the folder an id that nothing else has. Whoever chooses the same one at the same time gives it to a folder,
 * too, and then looks: at least one of the two sees both folders counted, and leaves it. */
static int claim(int folder, uint32_t *ret_id, struct bh_error *error)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct fs_disk_quota quota;
        uint32_t id;
        if (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
            return bh_error_errno(error, errno, "choose a project id");
        }
        id = PROJECT_ID_FIRST + id % PROJECT_IDS;
        if (read_quota(folder, id, &quota, error) < 0) {
            return -1;
        }
        if (quota.d_icount > 0 || has_limit(&quota)) {
            continue;
        }
        if (write_id(folder, id, error) < 0 || read_quota(folder, id, &quota, error) < 0) {
            return -1;
        }
        if (quota.d_icount == 1 && !has_limit(&quota)) {
            *ret_id = id;
            return 0;
        }
        if (write_id(folder, 0, error) < 0) {
            return -1;
        }
    }
    return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "of %d project ids from %u on, each was in use", ATTEMPTS,
                        PROJECT_ID_FIRST);
}

int project_limit(int folder, uint64_t bytes, struct bh_error *error)
{
    uint32_t id = 0;
    if (read_id(folder, &id, error) < 0 || (!is_ours(id) && claim(folder, &id, error) < 0)) {
        return -1;
    }
    return write_limit(folder, id, bytes, error);
}

int project_is_limited(int folder, bool *ret_limited, struct bh_error *error)
{
    uint32_t id;
    if (read_id(folder, &id, error) < 0) {
        return -1;
    }
    *ret_limited = is_ours(id);
    return 0;
}

int project_check(int folder, struct bh_error *error)
{
    bool limited;
    if (project_is_limited(folder, &limited, error) < 0) {
        return -1;
    }
    return limited && !project_is_enforced(folder)
               ? bh_error_set(error, BH_FAILED_PRECONDITION,
                              "its size is a project quota, which its file system does not enforce any more; mount the "
                              "state folder's file system with prjquota")
               : 0;
}

int project_usage(int folder, uint64_t *ret_used_bytes, uint64_t *ret_bytes, struct bh_error *error)
{
    struct fs_disk_quota quota;
    uint32_t id;
    if (read_id(folder, &id, error) < 0 || read_quota(folder, id, &quota, error) < 0) {
        return -1;
    }
    *ret_used_bytes = quota.d_bcount * COUNT_BYTES;
    *ret_bytes = quota.d_blk_hardlimit * COUNT_BYTES;
    return 0;
}

int project_release(int above, const char *name, struct bh_error *error)
{
    uint32_t id;
    bh_autoclose int folder = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) {
        return errno == ENOENT || errno == ENOTDIR ? 0 : bh_error_errno(error, errno, "open \"%s\"", name);
    }
    if (read_id(folder, &id, error) < 0) {
        return -1;
    }
    return is_ours(id) && project_is_enforced(folder) ? write_limit(folder, id, 0, error) : 0;
}
