/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /containers/{id}/update: what may change, what is said of the rest, and how clients are warned.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "container.pb-c.h"
#include "engine_double.h"

TestSuite(updates, .init = engine_double_start, .fini = engine_double_stop, .timeout = 60);

static const char *update_by(const char *version, const char *json)
{
    static char request[16384];
    snprintf(request, sizeof(request),
             "POST /%s/containers/box/update HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
             version, strlen(json), json);
    return http_once(request);
}

static const char *update(const char *json)
{
    return update_by("v1.47", json);
}

Test(updates, what_may_change_arrives)
{
    const char *response =
        update("{\"Memory\":67108864,\"MemorySwap\":134217728,\"MemoryReservation\":33554432,\"CpuShares\":512,"
               "\"NanoCpus\":1500000000,\"CpusetCpus\":\"0\",\"PidsLimit\":50,\"BlkioWeight\":300,"
               "\"RestartPolicy\":{\"Name\":\"on-failure\",\"MaximumRetryCount\":3}}");
    cr_assert_eq(http_status(response), 200, "%s", response);
    cr_assert(strstr(response, "\"a warning of the engine's\""), "%s", response);
    const Bulkhead__ChangeContainer *changed = engine.changed;
    cr_assert_str_eq(engine.asked, "box");
    cr_assert_eq(changed->resources->memory_bytes, 64 << 20);
    cr_assert_eq(changed->nano_cpus, 1500000000);
    cr_assert(changed->pids_limit_set);
    cr_assert_eq(changed->pids_limit, 50);
    cr_assert_str_eq(changed->restart_policy, "on-failure");
    cr_assert_eq(changed->restart_retries, 3);
}

Test(updates, what_docker_sends_for_nothing_changes_nothing)
{
    cr_assert_eq(
        http_status(update("{\"CpuShares\":0,\"Memory\":0,\"NanoCpus\":0,\"CgroupParent\":\"\",\"BlkioWeight\":0,"
                           "\"BlkioWeightDevice\":null,\"CpuPeriod\":0,\"CpuQuota\":0,\"CpusetCpus\":\"\","
                           "\"Devices\":null,\"MemorySwap\":0,\"PidsLimit\":null,\"Ulimits\":null,"
                           "\"RestartPolicy\":{\"Name\":\"\",\"MaximumRetryCount\":0}}")),
        200);
    cr_assert_not(engine.changed->pids_limit_set);
    cr_assert_str_eq(engine.changed->restart_policy, "");
    cr_assert_eq(engine.changed->resources->memory_bytes, 0);
}

Test(updates, below_one_is_no_limit)
{
    static const char *const bodies[] = {"{\"PidsLimit\":0}", "{\"PidsLimit\":-1}", "{\"PidsLimit\":-2}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        cr_assert_eq(http_status(update(bodies[i])), 200);
        cr_expect(engine.changed->pids_limit_set, "%s", bodies[i]);
        cr_expect_eq(engine.changed->pids_limit, 0, "%s", bodies[i]);
        cr_expect_eq(engine.changed->resources->pids_max, UINT64_MAX, "%s", bodies[i]);
    }
    cr_assert_eq(http_status(update("{\"CpuQuota\":-1}")), 200);
    cr_expect_eq(engine.changed->resources->cpu_quota_us, UINT64_MAX);
    cr_expect_not(engine.changed->pids_limit_set);
}

/* Older clients sent it, and it had no meaning. */
Test(updates, a_limit_of_processes_is_of_later_versions)
{
    cr_assert_eq(http_status(update_by("v1.39", "{\"PidsLimit\":5}")), 200);
    cr_expect_not(engine.changed->pids_limit_set);
    cr_expect_eq(engine.changed->resources->pids_max, 0);
}

Test(updates, what_a_container_keeps_is_refused)
{
    static const struct {
        int status;
        const char *json, *says;
    } wrong[] = {
        {501, "{\"Devices\":[{\"PathOnHost\":\"/dev/null\"}]}", "Devices"},
        {501, "{\"Init\":true}", "Init"},
        {501, "{\"CpuCount\":2}", "Windows"},
        {400, "{\"Memory\":\"1g\"}", "Memory"},
        {400, "{\"Memory\":1024}", "emory"},
        {400, "{\"Image\":\"other\"}", "Image"},
        {400, "{\"RestartPolicy\":{\"Name\":\"sometimes\"}}", "sometimes"},
        {400, "{\"CpusetCpus\":\"a-b\"}", "a-b"},
        {400, "[1]", "object"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const char *response = update(wrong[i].json);
        cr_expect_eq(http_status(response), wrong[i].status, "%s answered %s", wrong[i].json, response);
        cr_expect(strstr(response, wrong[i].says), "%s answered %s", wrong[i].json, response);
    }
    cr_assert_null(engine.changed, "nothing of this reached the engine");
}
