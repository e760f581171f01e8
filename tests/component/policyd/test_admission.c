/* SPDX-License-Identifier: Apache-2.0
 *
 * Promise 2, one door: what is started is what was judged, filled in by policyd; what a rule refuses never reaches the
 * executor.
 */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <string.h>

#include "common/limits.h"
#include "door.h"

Test(policyd_admission, passes_on_exactly_what_was_judged_with_everything_filled_in, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct door_spec spec;
    struct bh_error error = {0};
    door_spec(&spec, 1, 1000);
    static char source[] = "/home/one/data", target[] = "/data";
    spec.mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    spec.mount.source = source;
    spec.mount.target = target;
    spec.spec.mounts = spec.mounts;
    spec.spec.n_mounts = 1;
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);

    Bulkhead__ContainerSpec *passed = door_last_spec(&door);
    cr_assert_eq(passed->id_base, 0x6f000000);
    cr_assert_eq(passed->id_count, BH_TENANT_IDS);
    cr_assert_neq(passed->monitor_uid, 0);
    cr_assert_str_eq(passed->cgroup_parent, "bulkhead-test");
    cr_assert_not(passed->identity_binds);
    cr_assert(passed->mounts[0]->must_be_owned);
    cr_assert_eq(passed->resources->pids_max, 4096, "the tenant's quota where no limit was asked for");

    /* With what policyd filled in taken away again, it is the very message that was asked. */
    passed->id_base = passed->id_count = passed->monitor_uid = 0;
    passed->cgroup_parent[0] = '\0';
    passed->mounts[0]->must_be_owned = false;
    passed->resources->pids_max = 0;
    uint8_t asked[4096];
    uint8_t got[4096];
    size_t n = bulkhead__container_spec__pack(&spec.spec, asked);
    cr_assert_eq(bulkhead__container_spec__pack(passed, got), n);
    cr_assert_eq(memcmp(asked, got, n), 0);
    bulkhead__container_spec__free_unpacked(passed, NULL);
    door_close(&door);
}

Test(policyd_admission, root_may_what_others_may_not, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct door_spec spec;
    struct bh_error error = {0};
    door_spec(&spec, 1, 0);
    spec.spec.privileged = true;
    spec.spec.capabilities = (1ULL << (CAP_LAST_CAP + 1)) - 1;
    spec.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED;
    spec.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    spec.spec.host_pid = true;
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
    Bulkhead__ContainerSpec *passed = door_last_spec(&door);
    cr_assert(passed->identity_binds);
    bulkhead__container_spec__free_unpacked(passed, NULL);

    spec.spec.tenant_uid = 1000;
    memset(spec.id, 2, sizeof(spec.id));
    unsigned int asked = door.n_asked;
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert(strstr(error.message, "\"privileged\"") && strstr(error.message, "the built-in rules for other tenants"),
              "%s", error.message);
    cr_assert_eq(door.n_asked, asked, "the executor was not asked");
    door_close(&door);
}

Test(policyd_admission, a_spec_with_what_policyd_fills_in_is_refused, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct door_spec spec;
    struct bh_error error = {0};
    door_spec(&spec, 1, 1000);
    spec.spec.id_base = 0;
    spec.spec.monitor_uid = 1;
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    spec.spec.monitor_uid = 0;
    static char up[] = "../../other";
    spec.spec.cgroup_parent = up;
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    cr_assert_eq(door.n_asked, 0);
    door_close(&door);
}

Test(policyd_admission, tenants_ranges_are_disjoint_and_outlive_a_restart, .timeout = 30)
{
    struct door door = {0};
    door_open(&door);
    struct bh_error error = {0};
    uint32_t bases[3];
    for (uint8_t i = 0; i < 3; i++) {
        struct door_spec spec;
        door_spec(&spec, (uint8_t)(i + 1), 1000U + i);
        cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
        Bulkhead__ContainerSpec *passed = door_last_spec(&door);
        bases[i] = passed->id_base;
        bulkhead__container_spec__free_unpacked(passed, NULL);
        for (uint8_t k = 0; k < i; k++) {
            cr_assert(bases[i] >= bases[k] + BH_TENANT_IDS || bases[k] >= bases[i] + BH_TENANT_IDS);
        }
    }
    door_reopen(&door);
    for (int i = 2; i >= 0; i--) { /* in another order */
        struct door_spec spec;
        door_spec(&spec, (uint8_t)(i + 1), 1000U + (uint32_t)i);
        cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
        Bulkhead__ContainerSpec *passed = door_last_spec(&door);
        cr_assert_eq(passed->id_base, bases[i]);
        bulkhead__container_spec__free_unpacked(passed, NULL);
    }
    door_close(&door);
}

Test(policyd_admission, rule_files_count_and_are_read_again, .timeout = 30)
{
    struct door door = {0};
    door_rule_file(&door, "10-web.json",
                   "{\"version\":1,\"tenants\":[1000],\"networks\":[\"none\",\"host\"],"
                   "\"registries\":{\"allow\":[\"docker.io/library/*\"]}}");
    door_open(&door);
    struct bh_error error = {0};
    struct door_spec spec;
    door_spec(&spec, 1, 1000);
    spec.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
    cr_assert_eq(door_admit(&door, 1000, "docker.io/library/busybox:latest", &error), 0, "%s", error.message);
    cr_assert_eq(door_admit(&door, 1000, "ghcr.io/some/thing:latest", &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert(strstr(error.message, "\"registries\"") && strstr(error.message, "policy.d/10-web.json") &&
                  strstr(error.message, "docker.io/library/*"),
              "%s", error.message);
    cr_assert_eq(door_admit(&door, 1001, "ghcr.io/some/thing:latest", &error), 0, "another tenant's rules are others");

    /* A broken file changes nothing. */
    door_rule_file(&door, "10-web.json", "{\"version\":1,\"tenants\":[1000],\"netwroks\":[]}");
    door_reload(&door);
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);

    door_rule_file(&door, "10-web.json", "{\"version\":1,\"tenants\":[1000]}");
    door_reload(&door);
    cr_assert_eq(door_start(&door, &spec, &error), -1);
    cr_assert(strstr(error.message, "\"networks\""), "%s", error.message);
    door_close(&door);
}

Test(policyd_admission, audit_only_lets_pass_and_writes_down, .timeout = 30)
{
    struct door door = {0};
    door_rule_file(&door, "try.json", "{\"version\":1,\"tenants\":[1000],\"audit_only\":true}");
    door_open(&door);
    struct bh_error error = {0};
    struct door_spec spec;
    door_spec(&spec, 1, 1000);
    spec.spec.host_pid = true;
    cr_assert_eq(door_start(&door, &spec, &error), 0, "%s", error.message);
    door_close(&door);
}

Test(policyd_admission, quota_of_containers_asks_what_still_runs, .timeout = 30)
{
    struct door door = {0};
    door_rule_file(&door, "few.json", "{\"version\":1,\"tenants\":[1000],\"quotas\":{\"containers\":1}}");
    door_open(&door);
    struct bh_error error = {0};
    struct door_spec first;
    struct door_spec second;
    door_spec(&first, 1, 1000);
    door_spec(&second, 2, 1000);
    cr_assert_eq(door_start(&door, &first, &error), 0, "%s", error.message);
    memset(door.listed_id, 1, 32);
    door.listed_tenant = 1000;
    door.listed_running = true;
    cr_assert_eq(door_start(&door, &second, &error), -1);
    cr_assert_eq(error.code, BH_PERMISSION_DENIED);
    cr_assert(strstr(error.message, "\"quotas\"") && strstr(error.message, "policy.d/few.json"), "%s", error.message);
    door.listed_running = false; /* it has ended */
    cr_assert_eq(door_start(&door, &second, &error), 0, "%s", error.message);
    door_close(&door);
}
