/* SPDX-License-Identifier: Apache-2.0
 *
 * See shared.h. The executor needs no capability of its own to look into /proc/PID/ns of a container: it made the user
 * namespace and is its owner. The process is held by a pidfd, so that no other one can have taken its number.
 */
#include "shared.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "entry.h"
#include "pidfd.h"
#include "running.h"

static bool is_same(int a, int b)
{
    struct stat first, second;
    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static int open_namespace(const struct running *running, const char *name, int *ret_fd, struct bh_error *error)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", running->record.pid, name);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open the %s namespace of container %.12s", name, running->name)
                       : 0;
}

/* Opens one namespace of the container `id`, and its user namespace, which must be the same for all. */
static int open_one(const struct executor *executor, const struct container_spec *spec, const uint8_t *id,
                    const char *name, int host, struct shared *shared, int *ret_fd, struct bh_error *error)
{
    struct running running;
    bh_autoclose int user = -1, mine = -1;
    int result = running_open(executor, id, spec->tenant_uid, &running, error);
    if (result == 0 && running.pidfd < 0) {
        result = bh_error_set(error, BH_FAILED_PRECONDITION,
                              "cannot join the %s namespace of a non running container: %s", name, running.name);
    }
    if (result == 0 && (entry_check(&running, error) < 0 || open_namespace(&running, name, ret_fd, error) < 0 ||
                        open_namespace(&running, "user", &user, error) < 0 ||
                        (shared->mount < 0 && open_namespace(&running, "mnt", &shared->mount, error) < 0))) {
        result = -1;
    }
    /* Still the very process whose number it was. */
    if (result == 0 && pidfd_has_ended(running.pidfd)) {
        result = bh_error_set(error, BH_FAILED_PRECONDITION, "container %s has ended meanwhile", running.name);
    }
    mine = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
    if (result == 0 && (mine < 0 || is_same(user, mine) || is_same(*ret_fd, host))) {
        result = bh_error_set(error, BH_FAILED_PRECONDITION,
                              "the %s namespace of container %s is the host's: ask for the host's", name, running.name);
    }
    if (result == 0 && shared->user >= 0 && !is_same(shared->user, user)) {
        result = bh_error_set(error, BH_FAILED_PRECONDITION,
                              "the containers whose namespaces are to be shared do not share a user namespace with one "
                              "another");
    }
    if (result == 0 && shared->user < 0) {
        shared->user = bh_steal_fd(&user);
    }
    running_close(&running);
    return result;
}

int shared_open(const struct executor *executor, const struct container_spec *spec, struct shared *ret_shared,
                struct bh_error *error)
{
    bh_autoclose int host_pid = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    *ret_shared = (struct shared)SHARED_NOTHING;
    /* The IPC namespace's container first: its mounts are the ones that are looked into, for /dev/shm. */
    return (spec->join_ipc && open_one(executor, spec, spec->join_ipc, "ipc", executor->host.ipc, ret_shared,
                                       &ret_shared->ipc, error) < 0) ||
                   (spec->join_pid && open_one(executor, spec, spec->join_pid, "pid", host_pid, ret_shared,
                                               &ret_shared->pid, error) < 0) ||
                   (spec->join_network && open_one(executor, spec, spec->join_network, "net", executor->host.net,
                                                   ret_shared, &ret_shared->net, error) < 0)
               ? -1
               : 0;
}

/* ---- the clone ------------------------------------------------------------------------------------------ */

/* The rights to enter come from the outside, so the user namespace is entered last. */
static int enter(const struct shared *shared)
{
    return (shared->net >= 0 && setns(shared->net, CLONE_NEWNET) < 0) ||
                   (shared->ipc >= 0 && setns(shared->ipc, CLONE_NEWIPC) < 0) ||
                   (shared->pid >= 0 && setns(shared->pid, CLONE_NEWPID) < 0) || setns(shared->user, CLONE_NEWUSER) < 0
               ? -errno
               : 0;
}

/* The launcher must keep the host's user namespace, where its own work is not done yet. So a child of it goes in, and
 * has the container's first process there as the launcher's own child. */
int shared_clone(const struct shared *shared, struct clone_args *arguments, long *ret_pid, struct bh_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int reading = ends[0], writing = ends[1];
    pid_t helper = fork();
    if (helper < 0) {
        return bh_error_errno(error, errno, "fork");
    }
    if (helper == 0) {
        struct clone_args inside = *arguments;
        inside.flags = (inside.flags | CLONE_PARENT) & ~(uint64_t)CLONE_PIDFD;
        inside.exit_signal = 0; /* the parent's */
        inside.pidfd = 0;
        long pid = enter(shared);
        if (pid == 0 && (pid = syscall(SYS_clone3, &inside, sizeof(inside))) == 0) {
            *ret_pid = 0;
            return 0;
        }
        pid = pid < 0 && pid == -1 ? -errno : pid;
        (void)!write(writing, &pid, sizeof(pid));
        _exit(0);
    }
    bh_close(&writing);
    long pid = 0;
    size_t n = 0;
    int result = bh_read_full(reading, &pid, sizeof(pid), &n, "the process inside the shared namespaces", error);
    (void)waitpid(helper, NULL, 0);
    if (result < 0 || n != sizeof(pid) || pid <= 0) {
        return result < 0 ? -1
                          : bh_error_errno(error, n == sizeof(pid) ? (int)-pid : ECHILD,
                                           "start a process in the namespaces of another container");
    }
    int pidfd = pidfd_open((pid_t)pid, 0); /* our child, not waited for: it is this one */
    if (pidfd < 0) {
        int failed = errno;
        (void)kill((pid_t)pid, SIGKILL);
        return bh_error_errno(error, failed, "hold the container's first process");
    }
    *(int *)(uintptr_t)arguments->pidfd = pidfd;
    *ret_pid = pid;
    return 0;
}

/* ---- /dev/shm -------------------------------------------------------------------------------------------- */

/* Inside the other container's mount namespace: clones what is at /dev/shm, if it is a tmpfs. Every step is the
 * kernel's; what the container may have put there instead is its own and its tenant's. */
static int clone_shm(int mount_namespace, int *ret_fd)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
    struct statfs status;
    if (setns(mount_namespace, CLONE_NEWNS) < 0) {
        return -errno;
    }
    bh_autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bh_autoclose int folder = (int)syscall(SYS_openat2, root, "/dev/shm", &how, sizeof(how));
    if (folder < 0 || fstatfs(folder, &status) < 0) {
        return -errno;
    }
    if (status.f_type != TMPFS_MAGIC) {
        return -EINVAL;
    }
    *ret_fd = open_tree(folder, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    return *ret_fd < 0 ? -errno : 0;
}

int shared_shm_prepare(struct launch *launch, struct operation *operation, struct bh_error *error)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return bh_error_errno(error, errno, "make a socket pair");
    }
    bh_autoclose int mine = ends[0], its = ends[1];
    pid_t helper = fork();
    if (helper < 0) {
        return bh_error_errno(error, errno, "fork");
    }
    if (helper == 0) {
        struct job_answer answer = {0};
        int fd = -1, failed = clone_shm(launch->shared.mount, &fd);
        if (failed < 0) {
            (void)bh_error_errno(&answer.error, -failed,
                                 "open /dev/shm of the container whose IPC namespace is shared");
        }
        job_answer(its, &answer, fd);
        _exit(0);
    }
    bh_close(&its);
    (void)waitpid(helper, NULL, 0);
    __attribute__((cleanup(job_said_close))) struct job_said said = {0};
    int received = job_receive(mine, &said);
    operation->fd = said.n_fds ? bh_steal_fd(&said.fds[0]) : -1;
    if (received == 0 || said.answer.error.code != BH_OK || operation->fd < 0) {
        *error = said.answer.error;
        return received && error->code != BH_OK
                   ? -1
                   : bh_error_set(error, BH_INTERNAL, "the process that opens /dev/shm died");
    }
    struct mount_attr attributes = {.attr_set = operation->attributes, .propagation = MS_PRIVATE};
    return mount_setattr(operation->fd, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0
               ? bh_error_errno(error, errno, "restrict the shared /dev/shm")
               : 0;
}
