/* SPDX-License-Identifier: Apache-2.0
 *
 * Control groups of the second kind; see cgroup.h. Documentation/admin-guide/cgroup-v2.rst names the files.
 */
#include "cgroup.h"

#include <errno.h>
#include <stdarg.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define CPU_PERIOD_DEFAULT_US 100000ULL
#define FREEZE_ATTEMPTS       200
#define FREEZE_PAUSE_MS       5

static void add(struct cgroup_setting *settings, size_t *n, const char *controller, const char *file,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
static void add(struct cgroup_setting *settings, size_t *n, const char *controller, const char *file,
                const char *format, ...)
{
    struct cgroup_setting *setting = &settings[(*n)++];
    *setting = (struct cgroup_setting){.controller = controller, .file = file};
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(setting->value, sizeof(setting->value), format, arguments);
    va_end(arguments);
}

static void add_memory(const struct spec_resources *resources, struct cgroup_setting *settings, size_t *n)
{
    if (resources->memory_bytes) {
        add(settings, n, "memory", "memory.max", "%llu", (unsigned long long)resources->memory_bytes);
    }
    if (resources->memory_swap_bytes == UINT64_MAX) {
        add(settings, n, "memory", "memory.swap.max", "max");
        settings[*n - 1].optional = true;
    } else if (resources->memory_swap_bytes) {
        /* The spec's number is of memory and swap together, this one of swap alone. */
        add(settings, n, "memory", "memory.swap.max", "%llu",
            (unsigned long long)(resources->memory_swap_bytes - resources->memory_bytes));
        settings[*n - 1].optional = true;
    }
    if (resources->memory_reservation_bytes) {
        add(settings, n, "memory", "memory.low", "%llu", (unsigned long long)resources->memory_reservation_bytes);
    }
}

static size_t v2_settings(const struct spec_resources *resources,
                          struct cgroup_setting settings[static CGROUP_SETTINGS_MAX])
{
    size_t n = 0;
    unsigned long long period = resources->cpu_period_us ? resources->cpu_period_us : CPU_PERIOD_DEFAULT_US;
    add_memory(resources, settings, &n);
    if (resources->cpu_quota_us && resources->cpu_quota_us != UINT64_MAX) {
        add(settings, &n, "cpu", "cpu.max", "%llu %llu", (unsigned long long)resources->cpu_quota_us, period);
    } else if (resources->cpu_quota_us || resources->cpu_period_us) {
        add(settings, &n, "cpu", "cpu.max", "max %llu", period);
    }
    if (resources->cpu_shares) {
        /* 2..262144 to 1..10000, as all runtimes do it */
        add(settings, &n, "cpu", "cpu.weight", "%llu",
            1 + (unsigned long long)(resources->cpu_shares - 2) * 9999 / 262142);
    }
    if (resources->cpu_realtime_period_us || resources->cpu_realtime_runtime_us) {
        /* There is no such file in cgroup v2: asking for it fails, and names it. */
        add(settings, &n, "cpu", "cpu.rt_runtime_us", "%llu", (unsigned long long)resources->cpu_realtime_runtime_us);
    }
    if (resources->pids_max == UINT64_MAX) {
        add(settings, &n, "pids", "pids.max", "max");
    } else if (resources->pids_max) {
        add(settings, &n, "pids", "pids.max", "%llu", (unsigned long long)resources->pids_max);
    }
    if (resources->blkio_weight) {
        add(settings, &n, "io", "io.weight", "default %u", 1 + (resources->blkio_weight - 10) * 9999 / 990);
        settings[n - 1].optional = true;
    }
    if (*resources->cpuset_cpus) {
        add(settings, &n, "cpuset", "cpuset.cpus", "%s", resources->cpuset_cpus);
    }
    if (*resources->cpuset_mems) {
        add(settings, &n, "cpuset", "cpuset.mems", "%s", resources->cpuset_mems);
    }
    return n;
}

/* Hands the controllers down. One that this host lacks is missed only when a limit asks for it. */
static int v2_prepare_parent(const struct cgroup_hierarchy *hierarchy, int parent, struct bh_error *error)
{
    static const char *const controllers[] = {"+cpu", "+memory", "+pids", "+io", "+cpuset"};
    struct bh_error ignored;
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        (void)cgroup_write(hierarchy->root, "cgroup.subtree_control", controllers[i], &ignored);
        (void)cgroup_write(parent, "cgroup.subtree_control", controllers[i], &ignored);
    }
    cgroup_detach_devices(parent);
    (void)error;
    return 0;
}

static int v2_restrict_devices(const struct cgroup *cgroup, const struct cgroup_devices *devices,
                               struct bh_error *error)
{
    return cgroup_attach_devices(cgroup->folders[0], devices, error);
}

static int v2_freeze(const struct cgroup *cgroup, bool frozen, struct bh_error *error)
{
    const char *wanted = frozen ? "frozen 1" : "frozen 0";
    if (cgroup_write(cgroup->folders[0], "cgroup.freeze", frozen ? "1" : "0", error) < 0) {
        return -1;
    }
    for (int attempt = 0; attempt < FREEZE_ATTEMPTS; attempt++) {
        char events[256] = "";
        bh_autoclose int fd = openat(cgroup->folders[0], "cgroup.events", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || read(fd, events, sizeof(events) - 1) < 0) {
            return bh_error_errno(error, errno, "read cgroup.events");
        }
        if (strstr(events, wanted)) {
            return 0;
        }
        (void)poll(NULL, 0, FREEZE_PAUSE_MS);
    }
    (void)cgroup_write(cgroup->folders[0], "cgroup.freeze", "0", error);
    return bh_error_set(error, BH_DEADLINE_EXCEEDED, "the container's processes did not freeze");
}

static void v2_kill(const struct cgroup *cgroup)
{
    struct bh_error ignored;
    if (cgroup_write(cgroup->folders[0], "cgroup.kill", "1", &ignored) < 0) {
        cgroup_kill_listed(cgroup->folders[0]); /* before Linux 5.14 */
    }
}

const struct cgroup_driver cgroup_v2 = {
    .settings = v2_settings,
    .prepare_parent = v2_prepare_parent,
    .freeze = v2_freeze,
    .restrict_devices = v2_restrict_devices,
    .kill = v2_kill,
};
