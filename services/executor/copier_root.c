/* SPDX-License-Identifier: Apache-2.0
 *
 * What a copier sees; see copier_parts.h. Mounts are made as for a start (act.h), of the same message that policyd
 * judged, and nothing is started: a process that lives for a moment attaches them in namespaces of its own, and the
 * namespaces stay as long as somebody holds them.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "copier_parts.h"
#include "own_files.h"
#include "pidfd.h"
#include "userns.h"

/* What the holder says, once. Its descriptors are ours, too: the table is shared. */
struct report {
    int user, mount;
    struct bh_error error;
};

/* ---- assembling ------------------------------------------------------------------------------------------ */

/* Before the root is changed: /proc is the host's still. */
static int open_own(const char *name, int *ret_fd, struct bh_error *error)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open %s", path) : 0;
}

static int become_inner_root(struct bh_error *error)
{
    return setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0
               ? bh_error_errno(error, errno, "become the container's root")
               : 0;
}

static _Noreturn void holder_main(struct launch *launch, int go, int said)
{
    struct report report = {.user = -1, .mount = -1};
    struct bh_error *error = &report.error;
    char byte;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && read(go, &byte, 1) == 1 &&
        open_own("user", &report.user, error) == 0 && open_own("mnt", &report.mount, error) == 0 &&
        become_inner_root(error) == 0) {
        (void)umask(022);
        (void)act_attach(launch, error);
    } else if (error->code == BH_OK) {
        (void)bh_error_set(error, BH_ABORTED, "the executor's job gave up");
    }
    _exit(write(said, &report, sizeof(report)) == (ssize_t)sizeof(report) ? 0 : 1);
}

static int read_report(struct copier_start *start, int fd, struct bh_error *error)
{
    struct report report;
    size_t n = 0;
    if (bh_read_full(fd, &report, sizeof(report), &n, "the process that assembles the root", error) < 0) {
        return -1;
    }
    if (n != sizeof(report)) {
        return bh_error_set(error, BH_INTERNAL, "the process that assembles the container's root died");
    }
    if (report.error.code != BH_OK) {
        *error = report.error;
        return -1;
    }
    start->user = report.user;
    start->mount = report.mount;
    return 0;
}

static int hold(struct copier_start *start, struct bh_error *error)
{
    const struct container_spec *spec = start->launch.spec;
    const struct userns_map map = userns_map_shift(spec->id_base, spec->id_count);
    int go[2], said[2];
    if (pipe2(go, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int go_read = go[0], go_write = go[1];
    if (pipe2(said, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int said_read = said[0], said_write = said[1];
    struct clone_args arguments = {.flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_FILES, .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid < 0) {
        return bh_error_errno(error, errno, "make namespaces for the container's root");
    }
    if (pid == 0) {
        holder_main(&start->launch, go_read, said_write);
    }
    int result = userns_write((int32_t)pid, &map, error);
    if (result == 0 && write(go_write, "", 1) != 1) {
        result = bh_error_errno(error, errno, "start assembling the container's root");
    }
    if (result < 0) {
        (void)kill((pid_t)pid, SIGKILL);
    }
    (void)waitpid((pid_t)pid, NULL, 0);
    bh_close(&said_write); /* only now: it was the holder's, too */
    return result < 0 ? -1 : read_report(start, said_read, error);
}

static int assemble(struct copier_start *start, struct bh_error *error)
{
    return act_prepare(&start->launch, error) < 0 ? -1 : hold(start, error);
}

/* A root that is only read is stacked without being able to change, which costs nothing when it is put away; unless
 * something is to be mounted where nothing is yet. */
int copier_assemble(struct copier_start *start, struct bh_error *error)
{
    start->launch.show_only = start->view == BH_COPIER_READ;
    int result = assemble(start, error);
    if (result < 0 && start->launch.show_only && error->sys_errno == EROFS) {
        start->launch.show_only = false;
        for (size_t i = 0; i < start->launch.plan->n_operations; i++) {
            bh_close(&start->launch.plan->operations[i].fd);
        }
        bh_error_clear(error);
        result = assemble(start, error);
    }
    return result;
}

/* ---- other ways ------------------------------------------------------------------------------------------ */

int copier_join(struct copier_start *start, int32_t pid, int pidfd, struct bh_error *error)
{
    char path[48];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
    start->user = open(path, O_RDONLY | O_CLOEXEC);
    int failed = start->user < 0 ? errno : 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
    start->mount = open(path, O_RDONLY | O_CLOEXEC);
    failed = failed ? failed : start->mount < 0 ? errno : 0;
    if (pidfd_has_ended(pidfd)) { /* then that number may have been somebody else's */
        return bh_error_set(error, BH_FAILED_PRECONDITION, "the container has ended meanwhile");
    }
    return failed ? bh_error_errno(error, failed, "open the container's namespaces") : 0;
}

int copier_stand_apart(struct copier_start *start, struct bh_error *error)
{
    start->user = fcntl(start->shifted, F_DUPFD_CLOEXEC, 0);
    start->mount = fcntl(start->launch.executor->monitors.mount, F_DUPFD_CLOEXEC, 0);
    return start->user < 0 || start->mount < 0 ? bh_error_errno(error, errno, "prepare namespaces") : 0;
}

/* ---- detached mounts ------------------------------------------------------------------------------------- */

static int make_read_only(int mount, struct bh_error *error)
{
    struct mount_attr attributes = {.attr_set =
                                        MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    return mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "make a mount read-only")
               : 0;
}

/* `base` is the folder the upper one lies in. */
static int show_upper(struct copier_start *start, int base, struct bh_error *error)
{
    bh_autoclose int upper = openat(base, "upper", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (upper < 0 && errno != ENOENT) {
        return bh_error_errno(error, errno, "open the container's layer");
    }
    /* A clone has its own root: nothing of the host's is above it. */
    start->upper = open_tree(upper < 0 ? start->launch.executor->empty : upper, "",
                             OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    return start->upper < 0 ? bh_error_errno(error, errno, "show the container's layer")
                            : make_read_only(start->upper, error);
}

int copier_mount_upper(struct copier_start *start, struct bh_error *error)
{
    struct own_files files;
    if (own_files_open(&start->launch, &files, error) < 0) {
        return -1;
    }
    int result = show_upper(start, files.base, error);
    own_files_close(&start->launch, &files);
    return result;
}

int copier_mount_root(struct copier_start *start, struct bh_error *error)
{
    struct operation root = {.kind = OPERATION_ROOT, .target = "/", .source = "", .fd = -1};
    start->launch.show_only = true;
    int result = rootfs_prepare(&start->launch, &root, error);
    start->root = root.fd;
    return result;
}
