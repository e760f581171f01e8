/* SPDX-License-Identifier: Apache-2.0
 *
 * What a kernel cannot do is taken out of a request, and said.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "services/engine/kernel.h"

static Bulkhead__KernelDescribed kernel;
static Bulkhead__Resources resources;
static char *warnings[KERNEL_WARNINGS_MAX];
static size_t n;
static struct bh_error error;

static void set_up(void)
{
    kernel = (Bulkhead__KernelDescribed)BULKHEAD__KERNEL_DESCRIBED__INIT;
    resources = (Bulkhead__Resources)BULKHEAD__RESOURCES__INIT;
    kernel.memory_limit = kernel.swap_limit = kernel.memory_reservation = kernel.oom_kill_disable = true;
    kernel.memory_swappiness = kernel.pids_limit = kernel.block_weight = kernel.cpu_realtime = true;
    kernel.cpus = (char *)(uintptr_t) "0-3,8";
    kernel.memory_nodes = (char *)(uintptr_t) "0";
    n = 0;
    bh_error_clear(&error);
}

TestSuite(kernel, .init = set_up);

static int fit(void)
{
    return kernel_fit_to(&kernel, &resources, warnings, &n, &error);
}

Test(kernel, that_can_everything_changes_nothing)
{
    resources.memory_bytes = 1 << 30;
    resources.oom_kill_disable = true;
    resources.blkio_weight = 100;
    resources.cpuset_cpus = (char *)(uintptr_t) "1-2,8";
    cr_expect_eq(fit(), 0, "%s", error.message);
    cr_expect_eq(n, 0);
    cr_expect_eq(resources.memory_bytes, 1 << 30);
}

Test(kernel, without_swap_limits)
{
    kernel.swap_limit = false;
    resources.memory_bytes = 1 << 30;
    resources.memory_swap_bytes = 2U << 30;
    cr_expect_eq(fit(), 0);
    cr_expect_eq(n, 1);
    cr_expect_eq(resources.memory_swap_bytes, UINT64_MAX);
    cr_expect_not_null(strstr(warnings[0], "Memory limited without swap"));
}

Test(kernel, of_cgroups_v2)
{
    kernel.oom_kill_disable = kernel.memory_swappiness = kernel.block_weight = false;
    resources.oom_kill_disable = true;
    resources.memory_swappiness_set = true;
    resources.memory_swappiness = 3;
    resources.blkio_weight = 100;
    cr_expect_eq(fit(), 0);
    cr_expect_eq(n, 3);
    cr_expect_not(resources.oom_kill_disable);
    cr_expect_not(resources.memory_swappiness_set);
    cr_expect_eq(resources.memory_swappiness, 0);
    cr_expect_eq(resources.blkio_weight, 0);
}

Test(kernel, processors_that_are_not_there)
{
    resources.cpuset_cpus = (char *)(uintptr_t) "2-4";
    cr_expect_eq(fit(), -1);
    cr_expect_str_eq(error.message, "Requested CPUs are not available - requested 2-4, available: 0-3,8");
    resources.cpuset_cpus = (char *)(uintptr_t) "";
    resources.cpuset_mems = (char *)(uintptr_t) "1";
    cr_expect_eq(fit(), -1);
    cr_expect_not_null(strstr(error.message, "memory nodes"));
}

Test(kernel, realtime_is_refused_where_there_is_none)
{
    kernel.cpu_realtime = false;
    resources.cpu_realtime_runtime_us = 5;
    cr_expect_eq(fit(), -1);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT);
}
