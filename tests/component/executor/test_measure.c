/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at containers: numbers, processes, the kernel; and what the worker that copies processes' files may not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/process_record.h"
#include "services/executor/processes.h"
#include "stage.h"

TestSuite(measure, .init = stage_open, .fini = stage_close, .timeout = 180);

static char output[65536];
static struct bh_error error;

static void start_waiting(struct container *container)
{
    container_init(container, "echo ready; cat; exit 3");
    container->process.open_stdin = true;
    container->process.stdin_once = true;
    container->resources.memory_bytes = 64 << 20;
    cr_assert_eq(container_start(container), 0, "%s", container->error.message);
    cr_assert_eq(read(container->output, output, 6), 6);
}

static void end(struct container *container)
{
    bh_close(&container->standard_input);
    cr_expect_eq(container_wait(container), 3);
    container_remove(container);
}

Test(measure, numbers)
{
    struct container container;
    Bulkhead__StatsRead *stats = NULL;
    int network = -1;
    size_t n = 0;
    start_waiting(&container);
    cr_assert_eq(ask_stats(&container, &stats, &network, &error), 0, "%s", error.message);
    cr_expect_gt(stats->cpu_total_ns, 0);
    cr_expect_gt(stats->system_ns, stats->cpu_total_ns);
    cr_expect_gt(stats->online_cpus, 0);
    cr_expect_gt(stats->memory_bytes, 0);
    cr_expect_eq(stats->memory_limit_bytes, 64 << 20);
    cr_expect_gt(stats->n_memory, 5);
    cr_expect_geq(stats->pids, 1);
    cr_assert_geq(network, 0, "the network is its own");
    cr_assert_eq(bh_read_full(network, output, sizeof(output) - 1, &n, "net/dev", &error), 0);
    output[n] = '\0';
    cr_expect(strstr(output, "lo:"));
    bh_close(&network);
    bulkhead__stats_read__free_unpacked(stats, NULL);
    end(&container);
    cr_expect_eq(ask_stats(&container, &stats, &network, &error), -1);
}

Test(measure, the_hosts_network_is_not_handed_out)
{
    struct container container;
    Bulkhead__StatsRead *stats = NULL;
    int network = -1;
    container_init(&container, "echo ready; cat; exit 3");
    container.process.open_stdin = container.process.stdin_once = true;
    container.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_assert_eq(read(container.output, output, 6), 6);
    cr_assert_eq(ask_stats(&container, &stats, &network, &error), 0, "%s", error.message);
    cr_expect_eq(network, -1);
    bulkhead__stats_read__free_unpacked(stats, NULL);
    end(&container);
}

Test(measure, of_another_tenant)
{
    struct container container;
    Bulkhead__StatsRead *stats = NULL;
    uint32_t count;
    int fd = -1;
    start_waiting(&container);
    container.spec.tenant_uid = 7;
    cr_expect_eq(ask_stats(&container, &stats, &fd, &error), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "%s", error.message);
    cr_expect_eq(ask_processes(&container, &count, &fd, &error), -1);
    cr_expect_eq(error.code, BH_PERMISSION_DENIED, "%s", error.message);
    container.spec.tenant_uid = 0;
    end(&container);
}

Test(measure, processes)
{
    struct container container;
    struct bh_process_record record;
    uint32_t count = 0;
    int fd = -1;
    size_t n = 0;
    start_waiting(&container);
    cr_assert_eq(ask_processes(&container, &count, &fd, &error), 0, "%s", error.message);
    cr_expect_eq(count, 2, "the shell and cat");
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    cr_assert_eq(bh_read_full(fd, output, sizeof(output), &n, "processes", &error), 0);
    memcpy(&record, output, sizeof(record));
    cr_expect_eq(record.pid, 0, "the host first");
    cr_expect_eq(strncmp(output + sizeof(record), "btime ", 6), 0);
    size_t at = sizeof(record) + record.stat_bytes + record.status_bytes + record.command_bytes;
    memcpy(&record, output + at, sizeof(record));
    cr_expect_eq(record.pid, container.pid);
    /* nobody can change it any more, the worker included */
    cr_expect_eq(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    cr_expect_eq(write(fd, "x", 1), -1);
    bh_close(&fd);
    end(&container);
}

Test(measure, the_kernel)
{
    Bulkhead__KernelDescribed *kernel = NULL;
    cr_assert_eq(ask_kernel(&kernel, &error), 0, "%s", error.message);
    cr_expect(kernel->cgroup_version == 1 || kernel->cgroup_version == 2);
    cr_expect(kernel->memory_limit && kernel->cpu_quota && kernel->pids_limit);
    cr_expect_eq(kernel->cpus[0], '0', "%s", kernel->cpus);
    bulkhead__kernel_described__free_unpacked(kernel, NULL);
}

/* Each attempt in a child that has given up what the worker gives up. The exit status says which one went wrong. */
static int attempt(void)
{
    struct bh_error failure = {0};
    char *const arguments[] = {"/1/exe", NULL};
    if (access("/etc/passwd", R_OK) < 0 || getuid() != 0) {
        return 10; /* before: all of it is possible, or this shows nothing */
    }
    int before = socket(AF_UNIX, SOCK_STREAM, 0);
    if (before < 0 || processes_give_up(STAGE_MONITOR_UID, &failure) < 0) {
        return 11;
    }
    int own = open("/self/status", O_RDONLY | O_CLOEXEC);
    if (own < 0) {
        return 12; /* that is what it is for */
    }
    if (open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 || open("/1/root/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0) {
        return 13;
    }
    if (open("/1/environ", O_RDONLY | O_CLOEXEC) >= 0 || open("/1/mem", O_RDWR | O_CLOEXEC) >= 0 ||
        open("/sysrq-trigger", O_WRONLY | O_CLOEXEC) >= 0) {
        return 14;
    }
    if (setresuid(0, 0, 0) == 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0) {
        return 15;
    }
    if (execv(arguments[0], arguments) == 0 || fork() >= 0 || unlink("/x") == 0 || errno == ENOENT) {
        return 16;
    }
    return 0;
}

Test(measure, the_worker_can_only_copy)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        _exit(attempt());
    }
    cr_assert_gt(child, 0);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status), "it was killed: %d", status);
    cr_expect_eq(WEXITSTATUS(status), 0, "attempt %d", WEXITSTATUS(status));
}
