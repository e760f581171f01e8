/* SPDX-License-Identifier: Apache-2.0
 *
 * Project ids of files: what xfs_io and lsattr -p say and do. Linked statically, so that it runs in containers, too.
 *
 *   project get PATH              the id, and whether what is made inside inherits it
 *   project set PATH ID INHERIT   gives it that; INHERIT is 0 or 1
 *   project count PATH ID         how many files have that id where PATH lies, and its limit in bytes
 *   project enforce PATH 0|1      switches enforcement where PATH lies
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fail(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
    return 1;
}

static int get(int fd)
{
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0) {
        return fail("get");
    }
    printf("%u %d\n", attributes.fsx_projid, (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0);
    return 0;
}

static int set(int fd, unsigned int id, bool inherit)
{
    struct fsxattr attributes;
    if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0) {
        return fail("get");
    }
    attributes.fsx_projid = id;
    attributes.fsx_xflags &= ~(unsigned int)FS_XFLAG_PROJINHERIT;
    attributes.fsx_xflags |= inherit ? FS_XFLAG_PROJINHERIT : 0;
    return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? fail("set") : 0;
}

static int count(int fd, unsigned int id)
{
    struct fs_disk_quota quota = {0};
    if (syscall(SYS_quotactl_fd, fd, QCMD(Q_XGETQUOTA, PRJQUOTA), id, &quota) < 0 && errno != ENOENT) {
        return fail("count");
    }
    printf("%llu %llu\n", quota.d_icount, quota.d_blk_hardlimit * 512);
    return 0;
}

static int enforce(int fd, bool on)
{
    unsigned int flags = FS_QUOTA_PDQ_ENFD;
    return syscall(SYS_quotactl_fd, fd, QCMD(on ? Q_XQUOTAON : Q_XQUOTAOFF, PRJQUOTA), 0, &flags) < 0 ? fail("enforce")
                                                                                                      : 0;
}

int main(int argc, char **argv)
{
    int fd = argc > 2 ? open(argv[2], O_RDONLY | O_CLOEXEC) : -1;
    unsigned int id = argc > 3 ? (unsigned int)strtoul(argv[3], NULL, 10) : 0;
    if (fd < 0) {
        return fail("open");
    }
    if (argc == 3 && strcmp(argv[1], "get") == 0) {
        return get(fd);
    }
    if (argc == 4 && strcmp(argv[1], "enforce") == 0) {
        return enforce(fd, strcmp(argv[3], "1") == 0);
    }
    if (argc == 5 && strcmp(argv[1], "set") == 0) {
        return set(fd, id, strcmp(argv[4], "1") == 0);
    }
    if (argc == 4 && strcmp(argv[1], "count") == 0) {
        return count(fd, id);
    }
    (void)fprintf(stderr, "usage: project get PATH | set PATH ID INHERIT | count PATH ID | enforce PATH 0|1\n");
    return 2;
}
