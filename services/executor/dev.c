/* SPDX-License-Identifier: Apache-2.0
 *
 * /dev of a container: Docker's six devices and links on a tmpfs of its own, its own devpts, and tmpfs in general. Made
 * by the launcher, since devices cannot be made in a user namespace; the image has no part in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "tmpfs.h"

#define TTY_GROUP 5 /* as in every distribution's /etc/group */

static const struct {
    const char *name;
    unsigned int major, minor;
} devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};

static const struct {
    const char *name, *target;
} links[] = {
    {"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},         {"core", "/proc/kcore"},
};

static int set_number(int context, const char *key, unsigned int value)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", value);
    return fsconfig(context, FSCONFIG_SET_STRING, key, text, 0);
}

static int make_tmpfs(const struct launch *launch, const struct operation *operation, int *ret_mount,
                      struct bh_error *error)
{
    const struct tmpfs_wish wish = {.source = strcmp(operation->target, "/dev/shm") == 0 ? "shm" : NULL,
                                    .bytes = operation->bytes,
                                    .inodes = operation->inodes,
                                    .mode = operation->mode,
                                    .uid = launch->spec->id_base + operation->uid,
                                    .gid = launch->spec->id_base + operation->gid,
                                    .label = launch->spec->selinux_mount_label};
    return tmpfs_make(&wish, operation->attributes, ret_mount, error);
}

int tmpfs_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    return make_tmpfs(launch, operation, &operation->fd, error);
}

static int make_device(int dev, const char *name, mode_t mode, dev_t device, uint32_t owner, struct bh_error *error)
{
    return mknodat(dev, name, mode, device) < 0 || fchownat(dev, name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0 ||
                   fchmodat(dev, name, mode & 07777, 0) < 0
               ? bh_error_errno(error, errno, "make /dev/%s", name)
               : 0;
}

int dev_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    static const char *const folders[] = {"pts", "shm", "mqueue"};
    uint32_t owner = launch->spec->id_base;
    if (make_tmpfs(launch, operation, &operation->fd, error) < 0) {
        return -1;
    }
    launch->dev = operation->fd;
    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (make_device(launch->dev, devices[i].name, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor),
                        owner, error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (symlinkat(links[i].target, launch->dev, links[i].name) < 0 ||
            fchownat(launch->dev, links[i].name, owner, owner, AT_SYMLINK_NOFOLLOW) < 0) {
            return bh_error_errno(error, errno, "make /dev/%s", links[i].name);
        }
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        if (mkdirat(launch->dev, folders[i], 0755) < 0 || fchownat(launch->dev, folders[i], owner, owner, 0) < 0) {
            return bh_error_errno(error, errno, "make /dev/%s", folders[i]);
        }
    }
    return launch->spec->tty ? make_device(launch->dev, "console", S_IFREG | 0620, 0, owner, error) : 0;
}

/* The terminal that becomes the container's standard streams. */
static int make_terminal(struct launch *launch, struct bh_error *error)
{
    const struct winsize size = {.ws_row = launch->spec->tty_rows, .ws_col = launch->spec->tty_columns};
    int unlocked = 0;
    bh_autoclose int master = openat(launch->devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0) {
        return bh_error_errno(error, errno, "make a terminal");
    }
    bh_autoclose int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || fchown(slave, launch->spec->id_base, launch->spec->id_base + TTY_GROUP) < 0 ||
        (size.ws_row && ioctl(master, TIOCSWINSZ, &size) < 0)) {
        return bh_error_errno(error, errno, "make a terminal");
    }
    launch->terminal = bh_steal_fd(&master);
    launch->terminal_inside = bh_steal_fd(&slave);
    return 0;
}

int devpts_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    bh_autoclose int context = fsopen("devpts", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "source", "devpts", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0620", 0) < 0 ||
        set_number(context, "gid", launch->spec->id_base + TTY_GROUP) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make devpts");
    }
    operation->fd = fsmount(context, FSMOUNT_CLOEXEC, (unsigned int)operation->attributes);
    if (operation->fd < 0) {
        return bh_error_errno(error, errno, "mount devpts");
    }
    launch->devpts = operation->fd;
    return launch->spec->tty ? make_terminal(launch, error) : 0;
}

int console_attach(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    (void)operation;
    /* The first and only terminal of this devpts instance. */
    bh_autoclose int terminal =
        open_tree(launch->devpts, "0", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    if (terminal < 0 || move_mount(terminal, "", launch->dev, "console", MOVE_MOUNT_F_EMPTY_PATH) < 0) {
        return bh_error_errno(error, errno, "mount the terminal");
    }
    return 0;
}
