/* SPDX-License-Identifier: Apache-2.0
 *
 * Control groups of the first kind; see cgroup.h. Documentation/admin-guide/cgroup-v1/ names the files.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FREEZE_ATTEMPTS 200
#define FREEZE_PAUSE_MS 5

static void add(struct cgroup_setting *settings, size_t *n, const char *controller, const char *file, uint64_t value)
{
    struct cgroup_setting *setting = &settings[(*n)++];
    *setting = (struct cgroup_setting){.controller = controller, .file = file};
    if (value == UINT64_MAX) {
        (void)snprintf(setting->value, sizeof(setting->value), "-1");
    } else {
        (void)snprintf(setting->value, sizeof(setting->value), "%llu", (unsigned long long)value);
    }
}

static void add_text(struct cgroup_setting *settings, size_t *n, const char *controller, const char *file,
                     const char *value)
{
    struct cgroup_setting *setting = &settings[(*n)++];
    *setting = (struct cgroup_setting){.controller = controller, .file = file};
    (void)snprintf(setting->value, sizeof(setting->value), "%s", value);
}

static size_t v1_settings(const struct spec_resources *resources,
                          struct cgroup_setting settings[static CGROUP_SETTINGS_MAX])
{
    size_t n = 0;
    if (resources->memory_bytes) {
        add(settings, &n, "memory", "memory.limit_in_bytes", resources->memory_bytes);
    }
    if (resources->memory_swap_bytes) {
        add(settings, &n, "memory", "memory.memsw.limit_in_bytes", resources->memory_swap_bytes);
        settings[n - 1].optional = true; /* a kernel without swap accounting */
    }
    if (resources->memory_reservation_bytes) {
        add(settings, &n, "memory", "memory.soft_limit_in_bytes", resources->memory_reservation_bytes);
    }
    if (resources->oom_kill_disable) {
        add(settings, &n, "memory", "memory.oom_control", 1);
    }
    if (resources->cpu_period_us) {
        add(settings, &n, "cpu", "cpu.cfs_period_us", resources->cpu_period_us);
    }
    if (resources->cpu_quota_us) {
        add(settings, &n, "cpu", "cpu.cfs_quota_us", resources->cpu_quota_us);
    }
    if (resources->cpu_shares) {
        add(settings, &n, "cpu", "cpu.shares", resources->cpu_shares);
    }
    if (resources->cpu_realtime_period_us) {
        add(settings, &n, "cpu", "cpu.rt_period_us", resources->cpu_realtime_period_us);
    }
    if (resources->cpu_realtime_runtime_us) {
        add(settings, &n, "cpu", "cpu.rt_runtime_us", resources->cpu_realtime_runtime_us);
    }
    if (resources->memory_swappiness_set) {
        add(settings, &n, "memory", "memory.swappiness", resources->memory_swappiness);
    }
    if (resources->pids_max == UINT64_MAX) {
        add_text(settings, &n, "pids", "pids.max", "max");
    } else if (resources->pids_max) {
        add(settings, &n, "pids", "pids.max", resources->pids_max);
    }
    if (resources->blkio_weight) {
        add(settings, &n, "blkio", "blkio.weight", resources->blkio_weight);
        settings[n - 1].optional = true; /* only with an I/O scheduler that has weights */
    }
    if (*resources->cpuset_cpus) {
        add_text(settings, &n, "cpuset", "cpuset.cpus", resources->cpuset_cpus);
    }
    if (*resources->cpuset_mems) {
        add_text(settings, &n, "cpuset", "cpuset.mems", resources->cpuset_mems);
    }
    return n;
}

/* Copies a cpuset file from the level above, where the parent has none yet: an empty cpuset admits nobody. */
static int inherit_cpuset(int root, int parent, const char *file, struct bh_error *error)
{
    char value[256];
    bh_autoclose int own = openat(parent, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = own >= 0 ? read(own, value, sizeof(value)) : -1;
    if (n > 1) {
        return 0;
    }
    bh_autoclose int above = openat(root, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    n = above >= 0 ? read(above, value, sizeof(value) - 1) : -1;
    if (n < 0) {
        return bh_error_errno(error, errno, "read %s", file);
    }
    value[n] = '\0';
    return cgroup_write(parent, file, value, error);
}

/* One rule as the kernel reads it: "c 1:3 rwm". */
static int allow_device(int folder, const struct spec_device_rule *rule, struct bh_error *error)
{
    char text[64], major[16] = "*", minor[16] = "*";
    if (rule->kind == 'a') { /* the kernel would take it for everything, whatever else it says */
        struct spec_device_rule half = *rule;
        half.kind = 'b';
        if (allow_device(folder, &half, error) < 0) {
            return -1;
        }
        half.kind = 'c';
        return allow_device(folder, &half, error);
    }
    if (rule->major >= 0) {
        (void)snprintf(major, sizeof(major), "%d", rule->major);
    }
    if (rule->minor >= 0) {
        (void)snprintf(minor, sizeof(minor), "%d", rule->minor);
    }
    (void)snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->kind, major, minor,
                   rule->access & SPEC_DEVICE_READ ? "r" : "", rule->access & SPEC_DEVICE_WRITE ? "w" : "",
                   rule->access & SPEC_DEVICE_MAKE ? "m" : "");
    return cgroup_write(folder, "devices.allow", text, error);
}

static int v1_restrict_devices(const struct cgroup *cgroup, const struct cgroup_devices *devices,
                               struct bh_error *error)
{
    int folder = cgroup_folder(cgroup, "devices");
    if (folder < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "this host has no cgroup controller \"devices\"");
    }
    if (cgroup_write(folder, "devices.deny", "a", error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < CGROUP_DEVICES_DEFAULT; i++) {
        if (allow_device(folder, &cgroup_devices_default[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < devices->n; i++) {
        if (allow_device(folder, &devices->rules[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* The parent gives all that it has; an older version may have left Docker's list on it, with containers below. */
static void widen_devices(int parent)
{
    static const char *const everything[] = {"c *:* rwm", "b *:* rwm"};
    struct bh_error ignored;
    for (size_t i = 0; i < sizeof(everything) / sizeof(everything[0]); i++) {
        (void)cgroup_write(parent, "devices.allow", everything[i], &ignored);
    }
}

static int v1_prepare_parent(const struct cgroup_hierarchy *hierarchy, int parent, struct bh_error *error)
{
    if (strstr(hierarchy->controllers, "cpuset")) {
        if (inherit_cpuset(hierarchy->root, parent, "cpuset.cpus", error) < 0 ||
            inherit_cpuset(hierarchy->root, parent, "cpuset.mems", error) < 0 ||
            cgroup_write(parent, "cgroup.clone_children", "1", error) < 0) {
            return -1;
        }
    }
    if (strstr(hierarchy->controllers, "devices")) {
        widen_devices(parent);
    }
    return 0;
}

static int v1_freeze(const struct cgroup *cgroup, bool frozen, struct bh_error *error)
{
    const char *wanted = frozen ? "FROZEN" : "THAWED";
    int folder = cgroup_folder(cgroup, "freezer");
    if (folder < 0) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "this host has no freezer cgroups");
    }
    for (int attempt = 0; attempt < FREEZE_ATTEMPTS; attempt++) {
        char state[32] = "";
        if (cgroup_write(folder, "freezer.state", wanted, error) < 0) {
            return -1;
        }
        bh_autoclose int fd = openat(folder, "freezer.state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || read(fd, state, sizeof(state) - 1) < 0) {
            return bh_error_errno(error, errno, "read freezer.state");
        }
        if (strncmp(state, wanted, strlen(wanted)) == 0) {
            return 0;
        }
        (void)poll(NULL, 0, FREEZE_PAUSE_MS); /* FREEZING: it forks faster than the kernel freezes; asked again */
    }
    (void)cgroup_write(folder, "freezer.state", "THAWED", error);
    return bh_error_set(error, BH_DEADLINE_EXCEEDED, "the container's processes did not freeze");
}

static void v1_kill(const struct cgroup *cgroup)
{
    struct bh_error ignored;
    int folder = cgroup_folder(cgroup, "freezer");
    if (folder < 0) {
        folder = cgroup_folder(cgroup, "pids");
    } else {
        (void)cgroup_write(folder, "freezer.state", "THAWED", &ignored);
    }
    cgroup_kill_listed(folder);
}

const struct cgroup_driver cgroup_v1 = {
    .settings = v1_settings,
    .prepare_parent = v1_prepare_parent,
    .freeze = v1_freeze,
    .restrict_devices = v1_restrict_devices,
    .kill = v1_kill,
};
