/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits become settings, for both kinds of cgroups.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "cgroup.h"
#include "userns.h"

static struct cgroup_setting settings[CGROUP_SETTINGS_MAX];
static size_t n;

static const char *value_of(const char *file)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(settings[i].file, file) == 0) {
            return settings[i].value;
        }
    }
    return "(none)";
}

static const struct spec_resources everything = {
    .memory_bytes = 64 << 20,
    .memory_swap_bytes = 96 << 20,
    .memory_reservation_bytes = 32 << 20,
    .cpu_quota_us = 50000,
    .cpu_period_us = 100000,
    .cpu_shares = 1024,
    .pids_max = 42,
    .cpuset_cpus = "0-1",
    .cpuset_mems = "0",
    .blkio_weight = 500,
    .oom_kill_disable = true,
};
static const struct spec_resources nothing = {.cpuset_cpus = "", .cpuset_mems = ""};

Test(cgroup, nothing_asked_nothing_written)
{
    cr_expect_eq(cgroup_v1.settings(&nothing, settings), 0);
    cr_expect_eq(cgroup_v2.settings(&nothing, settings), 0);
}

Test(cgroup, first_kind)
{
    n = cgroup_v1.settings(&everything, settings);
    cr_expect_eq(n, 11);
    cr_expect_str_eq(value_of("memory.limit_in_bytes"), "67108864");
    cr_expect_str_eq(value_of("memory.memsw.limit_in_bytes"), "100663296");
    cr_expect_str_eq(value_of("cpu.cfs_quota_us"), "50000");
    cr_expect_str_eq(value_of("cpu.shares"), "1024");
    cr_expect_str_eq(value_of("pids.max"), "42");
    cr_expect_str_eq(value_of("cpuset.cpus"), "0-1");
    cr_expect_str_eq(value_of("memory.oom_control"), "1");
}

Test(cgroup, second_kind)
{
    n = cgroup_v2.settings(&everything, settings);
    cr_expect_str_eq(value_of("memory.max"), "67108864");
    cr_expect_str_eq(value_of("memory.swap.max"), "33554432", "swap alone, not memory and swap");
    cr_expect_str_eq(value_of("cpu.max"), "50000 100000");
    cr_expect_str_eq(value_of("cpu.weight"), "39");
    cr_expect_str_eq(value_of("pids.max"), "42");
    cr_expect_str_eq(value_of("io.weight"), "default 4950");
}

Test(cgroup, unlimited_swap)
{
    struct spec_resources resources = nothing;
    resources.memory_bytes = 64 << 20;
    resources.memory_swap_bytes = UINT64_MAX;
    n = cgroup_v1.settings(&resources, settings);
    cr_expect_str_eq(value_of("memory.memsw.limit_in_bytes"), "-1");
    n = cgroup_v2.settings(&resources, settings);
    cr_expect_str_eq(value_of("memory.swap.max"), "max");
}

Test(userns, maps_as_the_kernel_reads_them)
{
    char text[128] = "";
    struct userns_map map = userns_map_shift(100000, 65536);
    cr_expect_eq(userns_format(map.uids, text, sizeof(text)), strlen("0 100000 65536\n"));
    cr_expect_str_eq(text, "0 100000 65536\n");
    map = userns_map_tenant(1000, 100, 100000, 65536);
    (void)userns_format(map.uids, text, sizeof(text));
    cr_expect_str_eq(text, "1000 100000 1\n100001 100001 65535\n");
    (void)userns_format(map.gids, text, sizeof(text));
    cr_expect_str_eq(text, "100 100000 1\n100001 100001 65535\n");
}
