/* SPDX-License-Identifier: Apache-2.0
 *
 * From launcher to monitor; see monitor_exec.h. What the container will ever say reaches only the process that this
 * makes: without a capability, a file system, a network, or a descriptor it does not need.
 */
#include "monitor_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/monitor_start.h"

#define SOCKET_NAME "monitor.sock"
#define BACKLOG     64
#define HIGH_FD     64 /* above every number a monitor's descriptors get */

/* ---- the namespaces ---------------------------------------------------------------------------------- */

static int leave_everything(void)
{
    bh_autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0555", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return -1;
    }
    bh_autoclose int root =
        fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return root < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                   move_mount(root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(root) < 0 ||
                   syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0
               ? -1
               : 0;
}

/* In a child that shares our descriptor table: opens its own namespaces for us, then empties the mount namespace. */
static _Noreturn void child_main(int report)
{
    static const char *const names[] = {"mnt", "net", "ipc", "uts"};
    int fds[4];
    for (size_t i = 0; i < 4; i++) {
        char path[32];
        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        fds[i] = open(path, O_RDONLY | O_CLOEXEC);
    }
    _exit(leave_everything() == 0 && write(report, fds, sizeof(fds)) == (ssize_t)sizeof(fds) ? 0 : 1);
}

int monitors_prepare(struct executor *executor, int libexec, struct bh_error *error)
{
    int report[2], fds[4], status;
    executor->monitors.program = openat(libexec, "bulkhead-monitor", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    executor->monitors.init = openat(libexec, "bulkhead-init", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    executor->monitors.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (executor->monitors.program < 0 || executor->monitors.init < 0 || executor->monitors.null < 0 ||
        pipe2(report, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "open bulkhead-monitor and bulkhead-init");
    }
    bh_autoclose int report_read = report[0], report_write = report[1];
    struct clone_args arguments = {.flags = CLONE_FILES | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
                                   .exit_signal = SIGCHLD};
    long pid = syscall(SYS_clone3, &arguments, sizeof(arguments));
    if (pid == 0) {
        child_main(report_write);
    }
    if (pid < 0 || waitpid((pid_t)pid, &status, 0) < 0 || status != 0 ||
        read(report_read, fds, sizeof(fds)) != (ssize_t)sizeof(fds) || fds[0] < 0 || fds[1] < 0 || fds[2] < 0 ||
        fds[3] < 0) {
        return bh_error_set(error, BH_INTERNAL, "cannot make the monitors' namespaces");
    }
    executor->monitors.mount = fds[0];
    executor->monitors.net = fds[1];
    executor->monitors.ipc = fds[2];
    executor->monitors.uts = fds[3];
    return 0;
}

/* ---- what it gets ------------------------------------------------------------------------------------ */

int monitor_sockets(const struct launch *launch, int *ret_listen, int *ret_monitor_end, int *ret_first,
                    struct bh_error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int ends[2];
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET_NAME, launch->folder);
    (void)unlinkat(launch->folder, SOCKET_NAME, 0);
    bh_autoclose int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, BACKLOG) < 0) {
        return bh_error_errno(error, errno, "make the monitor's socket");
    }
    if (bh_channel_pair(ends, error) < 0) {
        return -1;
    }
    *ret_listen = bh_steal_fd(&listener);
    *ret_monitor_end = ends[0];
    *ret_first = ends[1];
    return 0;
}

/* The journal's own path, a constant: nothing of the container's leads there. */
int monitor_open_journal(const struct container_spec *spec, int *ret_fd, struct bh_error *error)
{
    static const struct sockaddr_un journal = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
    if (spec->log_driver != BH_LOG_DRIVER_JOURNALD) {
        return 0;
    }
    bh_autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&journal, sizeof(journal)) < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "failed to initialize logging driver: journald is not enabled on this host (connect to %s: "
                            "%s); json-file and local need no journal",
                            journal.sun_path, strerror(errno));
    }
    *ret_fd = bh_steal_fd(&fd);
    return 0;
}

int monitor_make_start(const struct launch *launch, uint32_t oom_version, int *ret_fd, struct bh_error *error)
{
    const struct container_spec *spec = launch->spec;
    const struct seccomp_program *filter = launch->monitor_filter;
    struct bh_monitor_start start = {
        .magic = BH_MONITOR_MAGIC,
        .attachments = (uint32_t)(launch->n_attachments / 3),
        .pid = launch->pid,
        .tty = spec->tty,
        .open_stdin = spec->open_stdin,
        .stdin_once = spec->stdin_once,
        .log_driver = (uint8_t)spec->log_driver,
        .log_max_bytes = spec->log_max_bytes,
        .log_max_files = spec->log_max_files,
        .oom_version = oom_version,
        .filter_count = (uint32_t)filter->n,
        .journal_bytes = (uint32_t)spec->n_journal_fields,
        .keep_bytes = spec->keep_bytes,
        .ephemeral = spec->ephemeral,
        .log_compress = spec->log_compress,
    };
    memcpy(start.container_id, spec->id, sizeof(start.container_id));
    size_t n_filter = filter->n * sizeof(filter->instructions[0]);
    size_t n_bytes = sizeof(start) + n_filter + spec->n_journal_fields;
    bh_autofree uint8_t *bytes = malloc(n_bytes);
    if (!bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the monitor's start record");
    }
    memcpy(bytes, &start, sizeof(start));
    memcpy(bytes + sizeof(start), filter->instructions, n_filter);
    if (spec->n_journal_fields > 0) {
        memcpy(bytes + sizeof(start) + n_filter, spec->journal_fields, spec->n_journal_fields);
    }
    return bh_memfd_sealed("monitor-start", bytes, n_bytes, ret_fd, error);
}

/* ---- becoming it -------------------------------------------------------------------------------------- */

/* Leaves exactly: null at 0-2, the record and `descriptors` from 3 up, and the program (close-on-exec) behind them. */
static int arrange(const struct executor *executor, int start, const int *descriptors, size_t n, int *ret_program)
{
    int high[BH_MONITOR_FD_ATTACH + 3 * BH_ATTACHMENTS_MAX];
    high[0] = fcntl(start, F_DUPFD_CLOEXEC, HIGH_FD);
    for (size_t i = 0; i < n; i++) {
        high[i + 1] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, HIGH_FD);
    }
    int null = fcntl(executor->monitors.null, F_DUPFD_CLOEXEC, HIGH_FD);
    int program = fcntl(executor->monitors.program, F_DUPFD_CLOEXEC, HIGH_FD);
    for (int fd = 0; fd < BH_MONITOR_FD_START; fd++) {
        if (dup2(null, fd) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i <= n; i++) {
        if (dup2(high[i], BH_MONITOR_FD_START + (int)i) < 0) {
            return -1;
        }
    }
    int last = BH_MONITOR_FD_START + (int)n + 1;
    if (dup3(program, last, O_CLOEXEC) < 0 || close_range((unsigned int)last + 1, ~0U, 0) < 0) {
        return -1;
    }
    *ret_program = last;
    return 0;
}

static int enter_namespaces(const struct executor *executor)
{
    if (setns(executor->monitors.net, CLONE_NEWNET) < 0 || setns(executor->monitors.ipc, CLONE_NEWIPC) < 0 ||
        setns(executor->monitors.uts, CLONE_NEWUTS) < 0) {
        return -1;
    }
#ifndef BH_SANITIZE /* with the sanitizers it is linked dynamically, and finds its libraries only in the host's root   \
                     */
    if (setns(executor->monitors.mount, CLONE_NEWNS) < 0) {
        return -1;
    }
#endif
    return 0;
}

static int drop_privileges(uint32_t uid)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}};
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return -1;
        }
    }
    return setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0 ||
                   syscall(SYS_capset, &header, none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
                   setresuid(0, 0, 0) == 0
               ? -1
               : 0;
}

int monitor_become(const struct launch *launch, int start, const int *descriptors, size_t n_descriptors,
                   struct bh_error *error)
{
    static char name[] = "bulkhead-monitor";
    char *const args[] = {name, NULL}, *const env[] = {NULL};
    int program;
    if (enter_namespaces(launch->executor) < 0) {
        return bh_error_errno(error, errno, "enter the monitor's namespaces");
    }
    if (arrange(launch->executor, start, descriptors, n_descriptors, &program) < 0) {
        return bh_error_errno(error, errno, "arrange the monitor's descriptors");
    }
    if (drop_privileges(launch->spec->monitor_uid) < 0) {
        return bh_error_errno(error, errno, "drop the monitor's privileges");
    }
    (void)execveat(program, "", args, env, AT_EMPTY_PATH);
    return bh_error_errno(error, errno, "execute bulkhead-monitor");
}
