/* SPDX-License-Identifier: Apache-2.0
 *
 * See measure.h.
 */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "common/cleanup.h"
#include "common/io.h"
#include "policyd_executor.pb-c.h"
#include "processes.h"
#include "running.h"
#include "stats.h"

#define LIST_BYTES 256

static int open_running(struct bh_request *request, const Bulkhead__ContainerId *container, struct running *ret_running,
                        struct bh_error *error)
{
    *ret_running = (struct running){.folder = -1, .logs = -1, .pidfd = -1};
    if (!container || container->id.len != 32) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a request without a container id of 32 bytes");
    }
    if (running_open(answer_executor(request), container->id.data, container->tenant_uid, ret_running, error) < 0) {
        return -1;
    }
    return ret_running->pidfd >= 0
               ? 0
               : bh_error_set(error, BH_FAILED_PRECONDITION, "container %.12s is not running", ret_running->name);
}

/* /proc/PID/net/dev of a container that has a network to itself or shares another container's; unread. */
static int open_network(const struct executor *executor, const struct running *running)
{
    char path[64];
    struct stat own, host;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", running->record.pid);
    if (stat(path, &own) < 0 || fstat(executor->host.net, &host) < 0 || own.st_ino == host.st_ino) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/net/dev", running->record.pid);
    bh_autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && pidfd_send_signal(running->pidfd, 0, NULL, 0) == 0 ? bh_steal_fd(&fd) : -1;
}

void measure_handle_stats(struct bh_request *request)
{
    const Bulkhead__ReadStats *message = bh_request_body(request);
    struct executor *executor = answer_executor(request);
    struct running running;
    struct stats stats = {0};
    struct bh_error error = {0};
    if (open_running(request, message->container, &running, &error) < 0 ||
        stats_read(executor, &running, &stats, &error) < 0) {
        (void)bh_request_fail(request, &error);
    } else {
        bh_autoclose int network = open_network(executor, &running);
        Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
        packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_STATS_READ;
        packet.stats_read = &stats.message;
        (void)bh_request_reply(request, &packet.base, &network, network >= 0 ? 1 : 0);
    }
    stats_free(&stats);
    running_close(&running);
}

void measure_handle_processes(struct bh_request *request)
{
    const Bulkhead__ListProcesses *message = bh_request_body(request);
    struct running running;
    struct bh_error error = {0};
    if (open_running(request, message->container, &running, &error) < 0 ||
        processes_list(answer_executor(request), &running, request, &error) < 0) {
        (void)bh_request_fail(request, &error);
    }
    running_close(&running);
}

/* ---- what the kernel can do -------------------------------------------------------------------------------- */

/* Whether the hierarchy of that controller has the file, below the configured parent. */
static bool has_file(const struct executor *executor, const char *controller, const char *file)
{
    struct cgroup root = {.all = &executor->cgroups};
    char path[320];
    for (size_t i = 0; i < executor->cgroups.n; i++) {
        root.folders[i] = executor->cgroups.hierarchies[i].root;
    }
    int folder = cgroup_folder(&root, controller);
    (void)snprintf(path, sizeof(path), "%s/%s", executor->context->config->cgroup_parent, file);
    return folder >= 0 && faccessat(folder, path, F_OK, 0) == 0;
}

static void read_list(const struct executor *executor, const char *file, char text[static LIST_BYTES])
{
    struct cgroup root = {.all = &executor->cgroups};
    char path[320];
    size_t n = 0;
    for (size_t i = 0; i < executor->cgroups.n; i++) {
        root.folders[i] = executor->cgroups.hierarchies[i].root;
    }
    (void)snprintf(path, sizeof(path), "%s/%s", executor->context->config->cgroup_parent, file);
    int folder = cgroup_folder(&root, "cpuset");
    bh_autoclose int fd = folder >= 0 ? openat(folder, path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0 || bh_read_full(fd, text, LIST_BYTES - 1, &n, file, NULL) < 0) {
        n = 0;
    }
    text[n] = '\0';
    text[strspn(text, "0123456789,-")] = '\0';
}

void measure_handle_kernel(struct bh_request *request)
{
    const struct executor *executor = answer_executor(request);
    bool second = executor->cgroups.version == 2;
    char cpus[LIST_BYTES], nodes[LIST_BYTES];
    Bulkhead__KernelDescribed kernel = BULKHEAD__KERNEL_DESCRIBED__INIT;
    Bulkhead__ExecutorToPolicyd packet = BULKHEAD__EXECUTOR_TO_POLICYD__INIT;
    kernel.cgroup_version = (uint32_t)executor->cgroups.version;
    kernel.memory_limit = has_file(executor, "memory", second ? "memory.max" : "memory.limit_in_bytes");
    kernel.swap_limit = has_file(executor, "memory", second ? "memory.swap.max" : "memory.memsw.limit_in_bytes");
    kernel.memory_reservation = has_file(executor, "memory", second ? "memory.low" : "memory.soft_limit_in_bytes");
    kernel.oom_kill_disable = !second && has_file(executor, "memory", "memory.oom_control");
    kernel.memory_swappiness = !second && has_file(executor, "memory", "memory.swappiness");
    kernel.cpu_shares = has_file(executor, "cpu", second ? "cpu.weight" : "cpu.shares");
    kernel.cpu_quota = has_file(executor, "cpu", second ? "cpu.max" : "cpu.cfs_quota_us");
    kernel.cpu_realtime = !second && has_file(executor, "cpu", "cpu.rt_runtime_us");
    kernel.cpuset = has_file(executor, "cpuset", "cpuset.cpus");
    kernel.pids_limit = has_file(executor, "pids", "pids.max");
    kernel.block_weight = has_file(executor, second ? "io" : "blkio", second ? "io.weight" : "blkio.weight");
    kernel.block_weight_device = second ? kernel.block_weight : has_file(executor, "blkio", "blkio.weight_device");
    kernel.block_limits =
        has_file(executor, second ? "io" : "blkio", second ? "io.max" : "blkio.throttle.read_bps_device");
    read_list(executor, second ? "cpuset.cpus.effective" : "cpuset.cpus", cpus);
    read_list(executor, second ? "cpuset.mems.effective" : "cpuset.mems", nodes);
    kernel.cpus = cpus;
    kernel.memory_nodes = nodes;
    packet.body_case = BULKHEAD__EXECUTOR_TO_POLICYD__BODY_KERNEL_DESCRIBED;
    packet.kernel_described = &kernel;
    (void)bh_request_reply(request, &packet.base, NULL, 0);
}
