/* SPDX-License-Identifier: Apache-2.0
 *
 * Starting a container; see launch.h. Runs in a forked child: what hangs or dies here takes one container with it.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "common/monitor_start.h"
#include "container_init.h"
#include "lock.h"
#include "exec.h"
#include "monitor_exec.h"
#include "network.h"
#include "policyd_executor.pb-c.h"
#include "record.h"
#include "remove.h"

/* ---- before the clone -------------------------------------------------------------------------------- */

static int open_folder(int above, const char *name, mode_t mode, int *ret_fd, struct bh_error *error)
{
    if (mkdirat(above, name, mode) < 0 && errno != EEXIST) {
        return bh_error_errno(error, errno, "make the folder of container %s", name);
    }
    *ret_fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open the folder of container %s", name) : 0;
}

static int make_folders(struct launch *launch, struct bh_error *error)
{
    const struct bh_service_context *context = launch->executor->context;
    if (open_folder(launch->executor->folders.containers, launch->spec->name, 0700, &launch->folder, error) < 0 ||
        open_folder(launch->executor->folders.logs, launch->spec->name, 0750, &launch->logs, error) < 0) {
        return -1;
    }
    /* No copier may have the upper folder mounted meanwhile. Held until this process becomes the monitor. */
    if (lock_folder(launch->folder, error) < 0) {
        return -1;
    }
    /* The set-group-ID bit gives the engine's group every file in it; the monitor need not be in that group. */
    if (fchown(launch->logs, launch->spec->monitor_uid, context->config->engine_gid) < 0 ||
        fchmod(launch->logs, S_ISGID | 0750) < 0) {
        return bh_error_errno(error, errno, "give the log folder to the monitor");
    }
    /* What an earlier run left behind is not the truth about this one. */
    (void)unlinkat(launch->logs, "exit", 0);
    return remove_tree(launch->folder, EXECS_NAME, error);
}

/* One standard stream as a pipe. `inside_end` is 0 or 1: the pipe's end that the container gets. */
int launch_make_pipe(struct launch *launch, int stream, int inside_end, struct bh_error *error)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    launch->inside[stream] = ends[inside_end];
    launch->outside[stream] = ends[!inside_end];
    return fchown(launch->inside[stream], launch->spec->id_base, launch->spec->id_base) < 0
               ? bh_error_errno(error, errno, "give a pipe to the container")
               : 0;
}

/* After act_prepare(), which made the terminal. */
static int make_streams(struct launch *launch, struct bh_error *error)
{
    if (launch->spec->tty) {
        for (int i = 0; i < 3; i++) {
            launch->inside[i] = launch->terminal_inside;
            launch->outside[i] = i < 2 ? launch->terminal : -1;
        }
        return 0;
    }
    if (launch_make_pipe(launch, 1, 1, error) < 0 || launch_make_pipe(launch, 2, 1, error) < 0) {
        return -1;
    }
    if (launch->spec->open_stdin) {
        return launch_make_pipe(launch, 0, 0, error);
    }
    launch->inside[0] = openat(launch->dev, "null", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return launch->inside[0] < 0 ? bh_error_errno(error, errno, "open /dev/null of the container") : 0;
}

static int make_cgroup(struct launch *launch, struct bh_error *error)
{
    const struct cgroups *cgroups = &launch->executor->cgroups;
    if (cgroup_make(cgroups, launch->spec->cgroup_parent, launch->spec->name, &launch->spec->resources, launch->devices,
                    &launch->cgroup, error) < 0) {
        return -1;
    }
    for (size_t i = 0; cgroups->version == 1 && i < cgroups->n; i++) {
        launch->tasks[i] = openat(launch->cgroup.folders[i], "tasks", O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (launch->tasks[i] < 0) {
            return bh_error_errno(error, errno, "open a cgroup's tasks");
        }
    }
    return 0;
}

/* What the spec says of devices by number; those by path come with their nodes. */
static int add_device_rules(struct launch *launch, struct bh_error *error)
{
    static struct cgroup_devices devices; /* of this process, which starts one container */
    devices.n = 0;
    launch->devices = &devices;
    for (size_t i = 0; i < launch->spec->n_device_rules; i++) {
        if (devices.n == CGROUP_DEVICES_MAX) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d device rules", CGROUP_DEVICES_MAX);
        }
        devices.rules[devices.n++] = launch->spec->device_rules[i];
    }
    return 0;
}

/* Namespaces of the host that policy lets it share. They are entered out here, where the right to do so is. */
static int join_host(const struct launch *launch, struct bh_error *error)
{
    const struct executor_host *host = &launch->executor->host;
    return (launch->plan->join_host_net && setns(host->net, CLONE_NEWNET) < 0) ||
                   (launch->plan->join_host_ipc && setns(host->ipc, CLONE_NEWIPC) < 0) ||
                   (launch->plan->join_host_uts && setns(host->uts, CLONE_NEWUTS) < 0)
               ? bh_error_errno(error, errno, "join a namespace of the host")
               : 0;
}

/* ---- the clone ---------------------------------------------------------------------------------------- */

int launch_set_oom_score(const struct launch *launch, struct bh_error *error)
{
    char path[48], text[16];
    if (launch->spec->oom_score_adjust == 0) {
        return 0;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", launch->pid);
    int n = snprintf(text, sizeof(text), "%d", launch->spec->oom_score_adjust);
    bh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, text, (size_t)n) != n
               ? bh_error_errno(error, errno,
                                "set the OOM score adjustment to %s (lower than the service's own needs "
                                "CAP_SYS_RESOURCE)",
                                text)
               : 0;
}

int launch_save_record(struct launch *launch, struct bh_error *error)
{
    struct record record = {
        .magic = RECORD_MAGIC,
        .version = RECORD_VERSION,
        .pid = launch->pid,
        .tenant_uid = launch->spec->tenant_uid,
        .started_at_ns = launch->started_at_ns = bh_wall_ns(),
        .packed_bytes = (uint32_t)launch->packed_bytes,
        .shares_pid = !launch->joins && (launch->spec->host_pid || launch->spec->join_pid),
    };
    memcpy(record.id, launch->spec->id, sizeof(record.id));
    memcpy(record.boot_id, launch->executor->boot_id, sizeof(record.boot_id));
    (void)snprintf(record.cgroup_parent, sizeof(record.cgroup_parent), "%s", launch->spec->cgroup_parent);
    return record_start_ticks(launch->pid, &record.start_ticks, error) < 0
               ? -1
               : record_write(launch->folder, &record, launch->packed, error);
}

/* All that must be true before the first process takes its first step. */
static int admit(struct launch *launch, struct bh_error *error)
{
    const struct userns_map map = userns_map_shift(launch->spec->id_base, launch->spec->id_count);
    /* The user namespace of another container has its map, which is the tenant's as well. */
    return (!launch->plan->shared && userns_write(launch->pid, &map, error) < 0) ||
                   launch_set_oom_score(launch, error) < 0 || launch_save_record(launch, error) < 0
               ? -1
               : 0;
}

/* Waits for the program to be executed, or for the reason why not. */
int launch_await(int failure, struct bh_error *error)
{
    struct init_failure report;
    size_t n = 0;
    if (bh_read_full(failure, &report, sizeof(report), &n, "the container's first process", error) < 0) {
        return -1;
    }
    if (n == 0) {
        return 0;
    }
    if (n != sizeof(report) || report.error.code == BH_OK || report.error.code > BH_UNAUTHENTICATED) {
        return bh_error_set(error, BH_INTERNAL, "the container's first process died while it was set up");
    }
    report.error.message[BH_ERROR_MESSAGE_SIZE - 1] = '\0';
    (void)bh_error_set(error, report.error.code, "%s", report.error.message);
    error->sys_errno = report.error.sys_errno;
    for (size_t i = 0; i < report.error.n_context && i < BH_ERROR_CONTEXT_MAX; i++) {
        report.error.context[i][BH_ERROR_CONTEXT_SIZE - 1] = '\0';
        (void)bh_error_wrap(error, "%s", report.error.context[i]);
    }
    return -1;
}

static int run_first_process(struct launch *launch, struct bh_error *error)
{
    int go[2], failure[2];
    if (pipe2(go, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int go_read = go[0], go_write = go[1];
    if (pipe2(failure, O_CLOEXEC) < 0) {
        return bh_error_errno(error, errno, "make a pipe");
    }
    bh_autoclose int failure_read = failure[0], failure_write = failure[1];
    struct clone_args arguments = {.flags = launch->plan->namespaces | CLONE_PIDFD,
                                   .pidfd = (uint64_t)(uintptr_t)&launch->pidfd,
                                   .exit_signal = SIGCHLD};
    if (launch->cgroup.all->version == 2) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = (unsigned int)launch->cgroup.folders[0];
    }
    long pid;
    if (launch->plan->shared) {
        if (shared_clone(&launch->shared, &arguments, &pid, error) < 0) {
            return -1;
        }
    } else if ((pid = syscall(SYS_clone3, &arguments, sizeof(arguments))) < 0) {
        return bh_error_errno(error, errno, "make the container's namespaces");
    }
    if (pid == 0) {
        bh_close(&go_write); /* or the end of the launcher would never be seen */
        bh_close(&failure_read);
        container_init(launch, go_read, failure_write);
    }
    launch->pid = (int)pid;
    bh_close(&failure_write);
    if (admit(launch, error) < 0) {
        return -1;
    }
    if (write(go_write, "", 1) != 1) {
        return bh_error_errno(error, errno, "start the container's first process");
    }
    return launch_await(failure_read, error);
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static void undo(struct launch *launch)
{
    struct bh_error ignored;
    if (launch->pid > 0) {
        (void)pidfd_send_signal(launch->pidfd, SIGKILL, NULL, 0);
        (void)waitpid(launch->pid, NULL, 0);
    }
    if (launch->folder >= 0) {
        record_remove(launch->folder);
    }
    cgroup_close(&launch->cgroup);
    if (launch->cgroup.all) {
        (void)cgroup_remove(launch->cgroup.all, launch->spec->cgroup_parent, launch->spec->name, &ignored);
    }
}

static int start(struct launch *launch, struct bh_error *error)
{
    return monitor_open_journal(launch->spec, &launch->journal, error) < 0 || make_folders(launch, error) < 0 ||
                   add_device_rules(launch, error) < 0 ||
                   shared_open(launch->executor, launch->spec, &launch->shared, error) < 0 ||
                   act_prepare(launch, error) < 0 || make_streams(launch, error) < 0 ||
                   make_cgroup(launch, error) < 0 || join_host(launch, error) < 0 ||
                   run_first_process(launch, error) < 0
               ? -1
               : 0;
}

/* The monitor's descriptors behind its start record, in the order of enum bh_monitor_fd. */
int launch_hand_over(struct launch *launch, int answer_socket, struct bh_error *error)
{
    bh_autoclose int oom = -1, record = -1, listener = -1, monitor_end = -1, first = -1;
    uint32_t oom_version = 0;
    if (!launch->joins) {
        cgroup_watch_oom(&launch->cgroup, &oom, &oom_version);
    }
    if (monitor_make_start(launch, oom_version, &record, error) < 0 ||
        monitor_sockets(launch, &listener, &monitor_end, &first, error) < 0) {
        return -1;
    }
    int null = launch->executor->monitors.null;
    int descriptors[BH_MONITOR_FD_ATTACH + 3 * BH_ATTACHMENTS_MAX] = {
        launch->logs,
        listener,
        monitor_end,
        launch->pidfd,
        launch->outside[0] >= 0 ? launch->outside[0] : null,
        launch->outside[1] >= 0 ? launch->outside[1] : null,
        launch->outside[2] >= 0 ? launch->outside[2] : null,
        oom >= 0 ? oom : null,
        launch->journal >= 0 ? launch->journal : null,
    };
    size_t n = BH_MONITOR_FD_ATTACH - BH_MONITOR_FD_LOGS;
    for (size_t i = 0; i < launch->n_attachments; i++) {
        descriptors[n++] = launch->attachments[i];
    }
    /* The program runs: said before the monitor is executed, which the client need not wait for. */
    struct job_answer answer = {.pid = launch->pid, .started_at_ns = launch->started_at_ns};
    job_answer(answer_socket, &answer, first);
    return monitor_become(launch, record, descriptors, n, error);
}

static int launch_work(struct executor *executor, void *argument, int answer_socket)
{
    struct launch *launch = argument;
    struct job_answer answer = {0};
    launch->executor = executor;
    launch->answer_socket = answer_socket;
    (void)umask(022);
    (void)setsid();
    if (start(launch, &answer.error) < 0) {
        undo(launch);
        job_answer(answer_socket, &answer, -1);
        return 0;
    }
    if (launch_hand_over(launch, answer_socket, &answer.error) < 0) {
        undo(launch);
        job_answer(answer_socket, &answer, -1);
    }
    return 1;
}

void launch_done(struct bh_request *request, const struct job_said *said)
{
    Bulkhead__ContainerStarted started = BULKHEAD__CONTAINER_STARTED__INIT;
    started.pid = said->answer.pid;
    started.started_at_ns = said->answer.started_at_ns;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_CONTAINER_STARTED;
    packet.container_started = &started;
    (void)bh_request_reply(request, &packet.base, said->fds, said->n_fds);
}

const struct job_kind launch_job = {
    .name = "start", .work = launch_work, .done = launch_done, .progress = network_offered};
