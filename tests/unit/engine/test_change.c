/* SPDX-License-Identifier: Apache-2.0
 *
 * What an update may change, and what comes of it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "services/engine/change.h"

static Bulkhead__ChangeContainer question;
static Bulkhead__Resources wanted, now;
static Bulkhead__ContainerRequest request;
static struct bh_error error;

static void set_up(void)
{
    question = (Bulkhead__ChangeContainer)BULKHEAD__CHANGE_CONTAINER__INIT;
    wanted = (Bulkhead__Resources)BULKHEAD__RESOURCES__INIT;
    now = (Bulkhead__Resources)BULKHEAD__RESOURCES__INIT;
    request = (Bulkhead__ContainerRequest)BULKHEAD__CONTAINER_REQUEST__INIT;
    question.resources = &wanted;
    request.resources = &now;
    bh_error_clear(&error);
}

TestSuite(change, .init = set_up);

static void refused(const char *what)
{
    cr_expect_eq(change_check(&question, &request, &error), -1, "%s", what);
    cr_expect_eq(error.code, BH_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.message, what), "%s", error.message);
    set_up();
}

Test(change, nothing_is_no_conflict)
{
    cr_expect_eq(change_check(&question, &request, &error), 0);
}

Test(change, conflicts)
{
    question.nano_cpus = 1;
    now.cpu_period_us = 1000;
    refused("CPU Period has already been set");
    question.nano_cpus = 1;
    now.cpu_quota_us = 1000;
    refused("CPU Quota has already been set");
    request.nano_cpus = 1;
    wanted.cpu_quota_us = 1000;
    refused("CPU Quota cannot be updated");
    wanted.memory_bytes = 100;
    now.memory_swap_bytes = 50;
    refused("memoryswap");
    request.auto_remove = true;
    question.restart_policy = (char *)(uintptr_t) "always";
    refused("AutoRemove");
}

Test(change, nano_cpus_replace_nano_cpus)
{
    question.nano_cpus = 5;
    wanted.cpu_quota_us = 1000;
    wanted.cpu_period_us = 1000;
    request.nano_cpus = 3;
    now.cpu_quota_us = 500;
    now.cpu_period_us = 1000;
    cr_expect_eq(change_check(&question, &request, &error), 0, "%s", error.message);
}

Test(change, what_is_zero_stays)
{
    now.memory_bytes = 7;
    now.cpu_shares = 8;
    now.pids_max = 9;
    wanted.cpu_shares = 80;
    wanted.pids_max = UINT64_MAX;
    wanted.cpuset_cpus = (char *)(uintptr_t) "0";
    cr_assert_eq(change_merge(&wanted, &now, &error), 0);
    cr_expect_eq(now.memory_bytes, 7);
    cr_expect_eq(now.cpu_shares, 80);
    cr_expect_eq(now.pids_max, 0, "no limit");
    cr_expect_str_eq(now.cpuset_cpus, "0");
    free(now.cpuset_cpus);
}
