/* SPDX-License-Identifier: Apache-2.0
 *
 * The executor's dispatch table and thin handlers: decode, check, call the feature, answer.
 */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "answer.h"
#include "exec_requests.h"
#include "copier.h"
#include "executor.h"
#include "freeze.h"
#include "measure.h"
#include "monitor_exec.h"
#include "network.h"
#include "policyd_executor.pb-c.h"
#include "record.h"
#include "remove.h"
#include "running.h"
#include "start.h"
#include "volume_fill.h"
#include "volume_measure.h"
#include "volume_requests.h"
#include "volumes.h"

#define REQUEST(name) BULKHEAD__POLICYD_TO_EXECUTOR__BODY_##name
#define REPLY(name)   BULKHEAD__EXECUTOR_TO_POLICYD__BODY_##name

/* ---- answers ------------------------------------------------------------------------------------------ */

/* Opens the container a request names. */
static int open_named(struct bh_request *request, const Bulkhead__ContainerId *container, struct running *ret_running,
                      struct bh_error *error)
{
    *ret_running = (struct running){.folder = -1, .logs = -1, .pidfd = -1};
    if (!container || container->id.len != 32) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a request without a container id of 32 bytes");
    }
    return running_open(answer_executor(request), container->id.data, container->tenant_uid, ret_running, error);
}

static void send_found(struct bh_request *request, const struct running *running, bool more)
{
    struct running_state state;
    uint8_t id[32];
    Bulkhead__ContainerId container = BULKHEAD__CONTAINER_ID__INIT;
    Bulkhead__ContainerFound found = BULKHEAD__CONTAINER_FOUND__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    running_look(running, &state);
    memcpy(id, running->record.id, sizeof(id));
    container.id = (ProtobufCBinaryData){.len = sizeof(id), .data = id};
    container.tenant_uid = running->record.tenant_uid;
    found.container = &container;
    found.running = state.running;
    found.pid = state.pid;
    found.started_at_ns = state.started_at_ns;
    found.has_exit = state.has_exit;
    found.exit_code = state.exit_code;
    found.oom_killed = state.oom_killed;
    found.finished_at_ns = state.finished_at_ns;
    packet.body_case = REPLY(CONTAINER_FOUND);
    packet.container_found = &found;
    (void)(more ? bh_request_progress(request, &packet.base, NULL, 0)
                : bh_request_reply(request, &packet.base, NULL, 0));
}

/* ---- handlers ----------------------------------------------------------------------------------------- */

static void handle_start(struct bh_request *request)
{
    struct bh_error error = {0};
    if (start_container(answer_executor(request), request, bh_request_body(request), &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
}

static void handle_signal(struct bh_request *request)
{
    const Bulkhead__SignalContainer *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    int result = answer_check_signal(message->signal, &error);
    running = (struct running){.folder = -1, .logs = -1, .pidfd = -1};
    if (result == 0 && (result = open_named(request, message->container, &running, &error)) == 0) {
        result = running_signal(answer_executor(request), &running, (int)message->signal, &error);
    }
    running_close(&running);
    answer_result(request, result, &error);
}

static void handle_open_monitor(struct bh_request *request)
{
    const Bulkhead__OpenMonitor *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    bh_autoclose int fd = -1;
    if (open_named(request, message->container, &running, &error) < 0 || running_connect(&running, &fd, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        answer_monitor(request, fd);
    }
    running_close(&running);
}

static void handle_open_log(struct bh_request *request)
{
    const Bulkhead__OpenLog *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    int fds[BH_MESSAGE_FDS_MAX], n = -1;
    if (open_named(request, message->container, &running, &error) < 0 ||
        (n = running_open_logs(&running, fds, BH_MESSAGE_FDS_MAX, &error)) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        Bulkhead__LogOpened opened = BULKHEAD__LOG_OPENED__INIT;
        Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
        opened.files = (uint32_t)n;
        packet.body_case = REPLY(LOG_OPENED);
        packet.log_opened = &opened;
        (void)bh_request_reply(request, &packet.base, fds, (size_t)n);
    }
    for (int i = 0; i < n; i++) {
        bh_close(&fds[i]);
    }
    running_close(&running);
}

static void handle_freeze(struct bh_request *request)
{
    const Bulkhead__FreezeContainer *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    if (open_named(request, message->container, &running, &error) < 0 ||
        freeze_container(answer_executor(request), &running, message->frozen, request, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
    running_close(&running);
}

static void handle_update(struct bh_request *request)
{
    const Bulkhead__UpdateContainer *message = bh_request_body(request);
    struct spec_resources resources;
    struct running running;
    struct bh_error error = {0};
    int result = open_named(request, message->container, &running, &error);
    if (result == 0 && !message->resources) {
        result = bh_error_set(&error, BH_INVALID_ARGUMENT, "UpdateContainer without resources");
    }
    if (result == 0 && (result = spec_decode_resources(message->resources, &resources, &error)) == 0) {
        result = running_update(answer_executor(request), &running, &resources, &error);
    }
    running_close(&running);
    answer_result(request, result, &error);
}

static void handle_remove(struct bh_request *request)
{
    const Bulkhead__RemoveContainer *message = bh_request_body(request);
    struct executor *executor = answer_executor(request);
    struct running running;
    struct bh_error error = {0};
    int result = open_named(request, message->container, &running, &error);
    if (result < 0 && (error.code == BH_NOT_FOUND || error.code == BH_DATA_LOSS) && *running.name) {
        result = 0; /* never started, or a start that was cut short: whatever is there goes */
    } else if (result == 0 && running.pidfd >= 0) {
        result = bh_error_set(&error, BH_FAILED_PRECONDITION, "container %.12s is running", running.name);
    }
    if (result == 0 && job_is_running(executor, message->container->id.data)) {
        result = bh_error_set(&error, BH_FAILED_PRECONDITION,
                              "another operation on container %.12s is not finished yet", running.name);
    }
    if (result == 0) {
        const char *parent = running.record.cgroup_parent;
        result = remove_container(executor, running.name, *parent ? parent : executor->context->config->cgroup_parent,
                                  &error);
    }
    running_close(&running);
    answer_result(request, result, &error);
}

static void list_one(const uint8_t id[static 32], void *argument)
{
    struct bh_request *request = argument;
    struct running running;
    struct bh_error error;
    /* Its own record says whose it is; one without a record was never started, or never finished starting. */
    if (running_open_any(answer_executor(request), id, &running, &error) == 0) {
        send_found(request, &running, true);
    }
    running_close(&running);
}

static void handle_list(struct bh_request *request)
{
    struct bh_error error = {0};
    answer_result(request, running_list(answer_executor(request), list_one, request, &error), &error);
}

static void handle_inspect(struct bh_request *request)
{
    const Bulkhead__InspectContainer *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    if (open_named(request, message->container, &running, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        send_found(request, &running, false);
    }
    running_close(&running);
}

/* ---- the table ------------------------------------------------------------------------------------------ */

static const struct bh_handler handlers[] = {
    {REQUEST(START_CONTAINER), "StartContainer", ~0U, 0, 3 * BH_ATTACHMENTS_MAX + 1, handle_start},
    {REQUEST(SIGNAL_CONTAINER), "SignalContainer", ~0U, 0, 0, handle_signal},
    {REQUEST(OPEN_MONITOR), "OpenMonitor", ~0U, 0, 0, handle_open_monitor},
    {REQUEST(OPEN_LOG), "OpenLog", ~0U, 0, 0, handle_open_log},
    {REQUEST(OPEN_COPIER), "OpenCopier", ~0U, 1, 1, copier_handle_open},
    {REQUEST(FREEZE_CONTAINER), "FreezeContainer", ~0U, 0, 0, handle_freeze},
    {REQUEST(UPDATE_CONTAINER), "UpdateContainer", ~0U, 0, 0, handle_update},
    {REQUEST(REMOVE_CONTAINER), "RemoveContainer", ~0U, 0, 0, handle_remove},
    {REQUEST(LIST_CONTAINERS), "ListContainers", ~0U, 0, 0, handle_list},
    {REQUEST(INSPECT_CONTAINER), "InspectContainer", ~0U, 0, 0, handle_inspect},
    {REQUEST(START_EXEC), "StartExec", ~0U, 0, 3 * BH_ATTACHMENTS_MAX, exec_handle_start},
    {REQUEST(OPEN_EXEC_MONITOR), "OpenExecMonitor", ~0U, 0, 0, exec_handle_open_monitor},
    {REQUEST(SIGNAL_EXEC), "SignalExec", ~0U, 0, 0, exec_handle_signal},
    {REQUEST(INSPECT_EXEC), "InspectExec", ~0U, 0, 0, exec_handle_inspect},
    {REQUEST(REMOVE_EXEC), "RemoveExec", ~0U, 0, 0, exec_handle_remove},
    {REQUEST(READ_STATS), "ReadStats", ~0U, 0, 0, measure_handle_stats},
    {REQUEST(LIST_PROCESSES), "ListProcesses", ~0U, 0, 0, measure_handle_processes},
    {REQUEST(DESCRIBE_KERNEL), "DescribeKernel", ~0U, 0, 0, measure_handle_kernel},
    {REQUEST(OPEN_NETWORK), "OpenNetwork", ~0U, 0, 0, network_handle_open},
    {REQUEST(MAKE_VOLUME), "MakeVolume", ~0U, 0, 0, volume_handle_make},
    {REQUEST(DROP_VOLUME), "DropVolume", ~0U, 0, 0, volume_handle_drop},
    {REQUEST(FILL_VOLUMES), "FillVolumes", ~0U, 0, 0, volume_handle_fill},
    {REQUEST(LIST_MADE_VOLUMES), "ListMadeVolumes", ~0U, 0, 0, volume_handle_list},
    {REQUEST(MEASURE_VOLUME), "MeasureVolume", ~0U, 0, 0, volume_handle_measure},
    {0},
};

static const struct bh_protocol protocol = {
    .name = "policyd_executor",
    .incoming = &bulkhead__policyd_to_executor__descriptor,
    .outgoing = &bulkhead__executor_to_policyd__descriptor,
    .handlers = handlers,
};

const struct bh_peer executor_peers[] = {{BH_ROLE_POLICYD, &protocol, false}, {BH_ROLE_NONE, NULL, false}};

/* ---- life --------------------------------------------------------------------------------------------- */

static int open_namespace(const char *name, int *ret_fd, struct bh_error *error)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "open %s", path) : 0;
}

int executor_init(struct bh_service_context *context, struct bh_error *error)
{
    static struct executor executor;
    context->state = &executor;
    executor.context = context;
    LIST_INIT(&executor.jobs.list);
    return open_namespace("net", &executor.host.net, error) < 0 || open_namespace("ipc", &executor.host.ipc, error) < 0
               ? -1
               : open_namespace("uts", &executor.host.uts, error);
}

/* A folder that was handed over belongs to the mount namespace it was opened in; what is to be mounted from here must
 * be reached through this one. The path is the supervisor's own. */
static int reopen(const struct bh_service_context *context, enum bh_folder folder, int *ret_fd, struct bh_error *error)
{
    char link[32], path[BH_PATH_BYTES_MAX + 1];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", context->folders[folder]);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n < 0) {
        return bh_error_errno(error, errno, "find folder %d", (int)folder);
    }
    path[n] = '\0';
    struct stat handed, opened;
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd < 0 || fstat(*ret_fd, &opened) < 0 || fstat(context->folders[folder], &handed) < 0) {
        return bh_error_errno(error, errno, "open \"%s\"", path);
    }
    return handed.st_ino == opened.st_ino && handed.st_dev == opened.st_dev
               ? 0
               : bh_error_set(error, BH_FAILED_PRECONDITION, "\"%s\" is not the folder that was handed over", path);
}

static int make_empty(int *ret_fd, struct bh_error *error)
{
    bh_autoclose int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
        fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
        return bh_error_errno(error, errno, "make an empty file system");
    }
    *ret_fd =
        fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    return *ret_fd < 0 ? bh_error_errno(error, errno, "mount an empty file system") : 0;
}

int executor_start(struct bh_service_context *context, struct bh_error *error)
{
    struct executor *executor = context->state;
    struct stat program;
    /* The host's later mounts are seen here, as sources of binds; ours are not seen there. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
        return bh_error_errno(error, errno, "leave the host's mount propagation");
    }
    if (stat("/proc/self/exe", &program) < 0) {
        return bh_error_errno(error, errno, "look at the executor's own program");
    }
    executor->program_device = program.st_dev;
    executor->program_inode = program.st_ino;
    return reopen(context, BH_FOLDER_LAYERS, &executor->folders.layers, error) < 0 ||
                   reopen(context, BH_FOLDER_CONTAINERS, &executor->folders.containers, error) < 0 ||
                   reopen(context, BH_FOLDER_LOGS, &executor->folders.logs, error) < 0 ||
                   reopen(context, BH_FOLDER_VOLUMES, &executor->folders.volumes, error) < 0 ||
                   make_empty(&executor->empty, error) < 0 ||
                   layers_init(&executor->layers, executor->folders.layers, executor->empty, error) < 0 ||
                   record_boot_id(executor->boot_id, error) < 0 ||
                   cgroups_open(&executor->cgroups, context->config->cgroup_parent, error) < 0 ||
                   monitors_prepare(executor, context->folders[BH_FOLDER_LIBEXEC], error) < 0 ||
                   copiers_prepare(executor, context->folders[BH_FOLDER_LIBEXEC], error) < 0 ||
                   remove_leftovers(executor, error) < 0 || volumes_remove_leftovers(executor, error) < 0
               ? -1
               : 0;
}

void executor_stop(struct bh_service_context *context)
{
    struct executor *executor = context->state;
    if (executor) {
        jobs_free(&executor->jobs);
        tmpfs_volumes_free(executor);
        layers_free(&executor->layers);
        userns_free(&executor->userns);
        seccomp_cache_free(&executor->seccomp);
        cgroups_close(&executor->cgroups);
    }
}
