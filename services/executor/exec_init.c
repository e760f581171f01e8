/* SPDX-License-Identifier: Apache-2.0
 *
 * A process that has joined a container; see exec_init.h. enter.c made it: in the container's namespaces and cgroup,
 * its root, without any other descriptor. All it opens here lies inside the container, and may be hostile.
 */
#include "exec_init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "confine.h"
#include "container_init.h"

#define TTY_GROUP 5 /* as in every distribution's /etc/group */

static int wait_to_go(struct bh_error *error)
{
    char byte;
    if (fcntl(CONFINE_FAILURE_FD, F_SETFD, FD_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "prepare to join");
    }
    return read(CONFINE_FAILURE_FD, &byte, 1) == 1 ? 0 : bh_error_set(error, BH_ABORTED, "the launcher gave up");
}

/* A device of the container's own /dev. Whatever stands there now was the container's choice: what it is, the kernel
 * says afterwards. Without links, and never one that would wait or become our terminal. */
static int open_device(const char *path, int flags, dev_t device)
{
    struct stat status;
    struct open_how how = {.flags = (unsigned int)flags | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
                           .resolve = RESOLVE_NO_MAGICLINKS};
    bh_autoclose int looked =
        (int)syscall(SYS_openat2, AT_FDCWD, path,
                     &(struct open_how){.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS}, sizeof(how));
    if (looked < 0 || fstat(looked, &status) < 0 || !S_ISCHR(status.st_mode) || status.st_rdev != device) {
        return -1; /* opening another device could already do something */
    }
    bh_autoclose int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
    return fd >= 0 && fstat(fd, &status) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == device &&
                   fcntl(fd, F_SETFL, 0) == 0
               ? bh_steal_fd(&fd)
               : -1;
}

static int send_terminal(int master, struct bh_error *error)
{
    char byte = 'T';
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
    memcpy(CMSG_DATA(&control.header), &master, sizeof(int));
    return sendmsg(CONFINE_FAILURE_FD, &message, MSG_NOSIGNAL) == 1 ? 0
                                                                    : bh_error_errno(error, errno, "send the terminal");
}

/* A terminal of the container's own devpts, checked to be one: its other end goes to the monitor. */
static int take_terminal(const struct launch *launch, struct bh_error *error)
{
    const struct winsize size = {.ws_row = launch->spec->tty_rows, .ws_col = launch->spec->tty_columns};
    struct statfs file_system;
    int unlocked = 0;
    bh_autoclose int master = open_device("/dev/pts/ptmx", O_RDWR, makedev(5, 2));
    if (master < 0 || fstatfs(master, &file_system) < 0 || file_system.f_type != DEVPTS_SUPER_MAGIC) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "/dev/pts/ptmx of the container makes no terminals");
    }
    if (ioctl(master, TIOCSPTLCK, &unlocked) < 0) {
        return bh_error_errno(error, errno, "make a terminal");
    }
    bh_autoclose int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || fchown(slave, 0, TTY_GROUP) < 0 || (size.ws_row && ioctl(master, TIOCSWINSZ, &size) < 0) ||
        ioctl(slave, TIOCSCTTY, 0) < 0) {
        return bh_error_errno(error, errno, "make a terminal");
    }
    if (send_terminal(master, error) < 0) {
        return -1;
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(slave, i) < 0) {
            return bh_error_errno(error, errno, "connect standard stream %d", i);
        }
    }
    return 0;
}

/* Without an input it reads the container's null device; if that is none any more, it keeps its pipe, which has ended.
 */
static int take_null(struct bh_error *error)
{
    bh_autoclose int null = open_device("/dev/null", O_RDONLY, makedev(1, 3));
    return null >= 0 && dup2(null, STDIN_FILENO) < 0 ? bh_error_errno(error, errno, "connect /dev/null") : 0;
}

static int run(struct launch *launch, struct bh_error *error)
{
    if (wait_to_go(error) < 0) {
        return -1;
    }
    if (setsid() < 0) {
        return bh_error_errno(error, errno, "start a session");
    }
    if (launch->spec->tty ? take_terminal(launch, error) < 0 : !launch->spec->open_stdin && take_null(error) < 0) {
        return -1;
    }
    return confine_and_execute(launch, false, error);
}

void exec_init(void *argument)
{
    struct init_failure report = {0};
    (void)run(argument, &report.error);
    (void)!write(CONFINE_FAILURE_FD, &report, sizeof(report));
    _exit(1);
}
