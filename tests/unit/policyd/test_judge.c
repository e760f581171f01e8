/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules against requests: who may what, and how a refusal reads.
 */
#include <criterion/criterion.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "example.h"
#include "judge.h"

static enum rule verdict(const struct example *example, const struct rules *rules, uint64_t running)
{
    struct judgement judgement;
    const struct known_count others = {.running = running, .all = running};
    judge_container(&example->spec, rules, &others, &judgement);
    cr_assert_eq(judgement.refused, judgement.rule != RULE_NONE);
    if (judgement.refused) {
        cr_assert(strstr(judgement.reason, rule_name(judgement.rule)), "%s", judgement.reason);
        cr_assert(strstr(judgement.reason, judgement.origin), "%s", judgement.reason);
    }
    return judgement.rule;
}

/* The same request of an other tenant's and of root's. */
static void expect(const struct example *example, enum rule others)
{
    cr_assert_eq(verdict(example, rules_builtin(false), 0), others, "others: %s", rule_name(others));
    cr_assert_eq(verdict(example, rules_builtin(true), 0), RULE_NONE, "root");
}

Test(judge, an_honest_container_passes)
{
    struct example example;
    example_init(&example);
    expect(&example, RULE_NONE);
    example_bind(&example, "/home/somebody");
    expect(&example, RULE_NONE);
    example_sysctl(&example, "net.ipv4.ip_forward");
    expect(&example, RULE_NONE);
}

Test(judge, rights)
{
    struct example example;
    example_init(&example);
    example.spec.privileged = true;
    expect(&example, RULE_PRIVILEGED);
    example_init(&example);
    example.spec.capabilities = 1ULL << CAP_SYS_ADMIN;
    expect(&example, RULE_CAPABILITIES);
    example.spec.capabilities = 1ULL << CAP_NET_RAW;
    expect(&example, RULE_NONE);
    example.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED;
    expect(&example, RULE_SECCOMP);
    example.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE;
    expect(&example, RULE_SECCOMP);
    example_init(&example);
    example.spec.oom_score_adjust = -1;
    expect(&example, RULE_OOM_SCORE);
    example.spec.oom_score_adjust = 500;
    expect(&example, RULE_NONE);
}

Test(judge, log_drivers)
{
    struct example example;
    example_init(&example);
    example.log.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_LOCAL;
    expect(&example, RULE_NONE);
    example.log.driver = BULKHEAD__LOG_DRIVER__LOG_DRIVER_JOURNALD;
    expect(&example, RULE_LOG_DRIVERS);
}

Test(judge, host_namespaces)
{
    struct example example;
    example_init(&example);
    example.spec.host_pid = true;
    expect(&example, RULE_HOST_NAMESPACES);
    example_init(&example);
    example.spec.host_ipc = true;
    expect(&example, RULE_HOST_NAMESPACES);
    example_init(&example);
    example.spec.host_uts = true;
    expect(&example, RULE_HOST_NAMESPACES);
    example_init(&example);
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    expect(&example, RULE_NETWORKS);
}

Test(judge, system_paths_left_open)
{
    struct example example;
    example_init(&example);
    example.spec.n_masked_paths--;
    expect(&example, RULE_SYSTEM_PATHS);
    example_init(&example);
    example.spec.n_read_only_paths = 0;
    expect(&example, RULE_SYSTEM_PATHS);
}

Test(judge, mounts_lie_below_the_rules_folders_component_by_component)
{
    struct rules rules = *rules_builtin(false);
    rules.mount_paths = (struct rules_list){.n = 2, .items = {"/srv/data", "/home"}};
    struct example example;
    example_init(&example);
    const char *allowed[] = {"/srv/data", "/srv/data/x", "/home/a"};
    const char *refused[] = {"/", "/srv", "/srv/database", "/etc", "/homes"};
    for (size_t i = 0; i < 3; i++) {
        example_bind(&example, allowed[i]);
        cr_assert_eq(verdict(&example, &rules, 0), RULE_NONE, "%s", allowed[i]);
    }
    for (size_t i = 0; i < 5; i++) {
        example_bind(&example, refused[i]);
        cr_assert_eq(verdict(&example, &rules, 0), RULE_MOUNTS, "%s", refused[i]);
    }
}

Test(judge, sysctls_by_pattern)
{
    struct rules rules = *rules_builtin(false);
    rules.sysctls = (struct rules_list){.n = 1, .items = {"net.ipv4.*"}};
    struct example example;
    example_init(&example);
    example_sysctl(&example, "net.ipv4.tcp_syncookies");
    cr_assert_eq(verdict(&example, &rules, 0), RULE_NONE);
    example_sysctl(&example, "net.core.somaxconn");
    cr_assert_eq(verdict(&example, &rules, 0), RULE_SYSCTLS);
}

Test(judge, quotas)
{
    struct rules rules = *rules_builtin(false);
    rules.quotas.containers = 2;
    rules.quotas.memory_bytes = 1000000;
    rules.quotas.pids = 10;
    rules.quotas.cpu_quota_us = 150000;
    struct example example;
    example_init(&example);
    cr_assert_eq(verdict(&example, &rules, 1), RULE_NONE);
    cr_assert_eq(verdict(&example, &rules, 2), RULE_QUOTAS);
    example.resources.memory_bytes = 1000001;
    cr_assert_eq(verdict(&example, &rules, 0), RULE_QUOTAS);
    example.resources.memory_bytes = 1000000;
    example.resources.pids_max = 11;
    cr_assert_eq(verdict(&example, &rules, 0), RULE_QUOTAS);
    example.resources.pids_max = 10;
    example.resources.cpu_period_us = 10000;
    example.resources.cpu_quota_us = 15000;
    cr_assert_eq(verdict(&example, &rules, 0), RULE_NONE);
    example.resources.cpu_quota_us = 15001;
    cr_assert_eq(verdict(&example, &rules, 0), RULE_QUOTAS);
}

Test(judge, containers_that_do_not_run_count_as_well)
{
    struct rules rules = *rules_builtin(false);
    struct example example;
    struct judgement judgement;
    rules.quotas.containers_kept = 3;
    example_init(&example);
    judge_container(&example.spec, &rules, &(struct known_count){.all = 2}, &judgement);
    cr_assert_not(judgement.refused);
    judge_container(&example.spec, &rules, &(struct known_count){.all = 3}, &judgement);
    cr_assert_eq(judgement.rule, RULE_QUOTAS);
    cr_assert(strstr(judgement.reason, "remove one first"), "%s", judgement.reason);
}

Test(judge, images_together)
{
    struct rules rules = *rules_builtin(false);
    struct judgement judgement;
    judge_image_bytes(UINT64_MAX, UINT64_MAX, &rules, &judgement);
    cr_assert_not(judgement.refused, "without a quota there is none");
    rules.quotas.image_bytes = 1000;
    judge_image_bytes(600, 400, &rules, &judgement);
    cr_assert_not(judgement.refused);
    judge_image_bytes(600, 401, &rules, &judgement);
    cr_assert_eq(judgement.rule, RULE_QUOTAS);
    judge_image_bytes(2000, 0, &rules, &judgement);
    cr_assert_not(judgement.refused, "what is there already may have another name");
    judge_image_bytes(2000, UINT64_MAX, &rules, &judgement);
    cr_assert_eq(judgement.rule, RULE_QUOTAS);
}

Test(judge, without_rules_nothing_is_allowed)
{
    struct bh_error why = {0}, error = {0};
    struct rule_book book;
    (void)bh_error_set(&why, BH_INVALID_ARGUMENT, "policy.d/10.json: line 4: it ends in the middle");
    cr_assert_eq(rule_book_close(&book, &why, &error), 0);
    const struct known_count none = {0};
    Bulkhead__MakeVolume volume = BULKHEAD__MAKE_VOLUME__INIT;
    Bulkhead__NetworkSpec network = BULKHEAD__NETWORK_SPEC__INIT;
    Bulkhead__Attachment attachment = BULKHEAD__ATTACHMENT__INIT;
    Bulkhead__ExecSpec exec = BULKHEAD__EXEC_SPEC__INIT;
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    struct example example;
    example_init(&example);
    for (uint32_t uid = 0; uid < 2; uid++) {
        const struct rules *rules = rule_book_find(&book, uid);
        const struct ip_pools no_pools = {.n = 0};
        struct judgement judgements[9];
        judge_container(&example.spec, rules, &none, &judgements[0]);
        judge_exec(&exec, rules, &judgements[1]);
        judge_volume(&volume, rules, &judgements[2]);
        judge_network(&network, rules, &no_pools, &judgements[3]);
        judge_connection(&attachment, rules, &judgements[4]);
        judge_resources(&resources, rules, &judgements[5]);
        judge_image("docker.io/library/busybox", rules, &judgements[6]);
        judge_image_bytes(0, 0, rules, &judgements[7]);
        judge_transfers(0, rules, &judgements[8]);
        for (size_t i = 0; i < 9; i++) {
            cr_assert_eq(judgements[i].rule, RULE_FILES, "%zu", i);
            cr_assert_not(judgement_passes(&judgements[i]), "%zu", i);
            cr_assert(strstr(judgements[i].reason, why.message), "%s", judgements[i].reason);
        }
    }
    rule_book_free(&book);
}

static void limited(struct rules *ret_rules)
{
    *ret_rules = *rules_builtin(false);
    ret_rules->quotas.memory_bytes = 1000000;
    ret_rules->quotas.pids = 10;
    ret_rules->quotas.cpu_quota_us = 150000;
}

Test(judge, what_is_not_asked_for_is_limited)
{
    struct rules rules;
    limited(&rules);
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.memory_bytes, 1000000);
    cr_assert_eq(resources.memory_swap_bytes, 2000000, "as much swap as memory");
    cr_assert_eq(resources.pids_max, 10);
    cr_assert_eq(resources.cpu_quota_us, 150000);
    cr_assert_eq(resources.cpu_period_us, 100000);
}

Test(judge, no_limit_at_all_is_the_quota)
{
    struct rules rules;
    limited(&rules);
    struct judgement judgement;
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    resources.memory_bytes = resources.pids_max = resources.cpu_quota_us = UINT64_MAX;
    judge_resources(&resources, &rules, &judgement);
    cr_assert_not(judgement.refused);
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.memory_bytes, 1000000);
    cr_assert_eq(resources.pids_max, 10);
    cr_assert_eq(resources.cpu_quota_us, 150000);
}

Test(judge, a_period_alone_is_no_way_around_the_quota)
{
    struct rules rules;
    limited(&rules);
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    resources.cpu_period_us = 10000;
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.cpu_quota_us, 15000);
    cr_assert_eq(resources.cpu_period_us, 10000);
    rules.quotas.cpu_quota_us = 50000;
    resources.cpu_quota_us = 0;
    resources.cpu_period_us = 1000; /* the kernel takes no quota below 1000 us */
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.cpu_quota_us, 50000);
    cr_assert_eq(resources.cpu_period_us, 100000);
}

Test(judge, swap_beside_memory)
{
    struct rules rules;
    limited(&rules);
    struct judgement judgement;
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    resources.memory_bytes = 600000;
    resources.memory_swap_bytes = 2000000;
    judge_resources(&resources, &rules, &judgement);
    cr_assert_not(judgement.refused);
    resources.memory_swap_bytes = 2000001;
    judge_resources(&resources, &rules, &judgement);
    cr_assert_eq(judgement.rule, RULE_QUOTAS);
    cr_assert(strstr(judgement.reason, "2000001 bytes of memory and swap are not allowed; at most 2000000 are"), "%s",
              judgement.reason);
    resources.memory_swap_bytes = UINT64_MAX; /* as is also said for a host that cannot limit swap */
    judge_resources(&resources, &rules, &judgement);
    cr_assert_not(judgement.refused);
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.memory_swap_bytes, 2000000);
    resources.memory_swap_bytes = 0;
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.memory_swap_bytes, 1200000);
}

Test(judge, real_time_counts_as_processors)
{
    struct rules rules;
    limited(&rules);
    struct judgement judgement;
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    resources.cpu_realtime_period_us = 1000000;
    resources.cpu_realtime_runtime_us = 1500000;
    judge_resources(&resources, &rules, &judgement);
    cr_assert_not(judgement.refused);
    resources.cpu_realtime_runtime_us = 1600000;
    judge_resources(&resources, &rules, &judgement);
    cr_assert_eq(judgement.rule, RULE_QUOTAS);
}

Test(judge, without_quotas_nothing_is_filled_in)
{
    Bulkhead__Resources resources = BULKHEAD__RESOURCES__INIT;
    struct rules rules = *rules_builtin(true);
    resources.memory_bytes = 7;
    resources.memory_swap_bytes = UINT64_MAX;
    resources.cpu_period_us = 10000;
    judge_fill_resources(&rules, &resources);
    cr_assert_eq(resources.memory_bytes, 7);
    cr_assert_eq(resources.memory_swap_bytes, UINT64_MAX);
    cr_assert_eq(resources.cpu_quota_us, 0);
    cr_assert_eq(resources.pids_max, 0);
}

Test(judge, audit_only_passes_what_it_would_refuse)
{
    struct rules rules = *rules_builtin(false);
    rules.audit_only = true;
    struct example example;
    example_init(&example);
    example.spec.host_pid = true;
    struct judgement judgement;
    judge_container(&example.spec, &rules, &(struct known_count){0}, &judgement);
    cr_assert(judgement.refused && judgement.audit_only && judgement_passes(&judgement));
}

Test(judge, images_by_registry)
{
    struct rules rules = *rules_builtin(false);
    struct judgement judgement;
    judge_image("ghcr.io/a/b", &rules, &judgement);
    cr_assert_not(judgement.refused);
    rules.registries_allowed = (struct rules_list){.n = 1, .items = {"docker.io/library/*"}};
    judge_image("ghcr.io/a/b", &rules, &judgement);
    cr_assert_eq(judgement.rule, RULE_REGISTRIES);
    judge_image("docker.io/library/busybox", &rules, &judgement);
    cr_assert_not(judgement.refused);
    judge_image("evil.io/docker.io/library/busybox", &rules, &judgement);
    cr_assert(judgement.refused);
    rules.registries_denied = (struct rules_list){.n = 1, .items = {"*/busybox"}};
    judge_image("docker.io/library/busybox", &rules, &judgement);
    cr_assert(judgement.refused, "denied wins");
}

Test(judge, so_many_pulls_at_once)
{
    struct rules rules = *rules_builtin(false);
    struct judgement judgement;
    rules.quotas.pulls = 3;
    judge_transfers(2, &rules, &judgement);
    cr_assert_not(judgement.refused);
    judge_transfers(3, &rules, &judgement);
    cr_assert(judgement.refused);
    cr_assert_eq(judgement.rule, RULE_QUOTAS);
    rules.quotas.pulls = 0;
    judge_transfers(1000, &rules, &judgement);
    cr_assert_not(judgement.refused, "no limit");
}

Test(judge, fills_in_what_the_tenant_may_not_choose)
{
    struct rules rules = *rules_builtin(false);
    rules.quotas.memory_bytes = 77;
    struct example example;
    example_init(&example);
    example_bind(&example, "/home/a");
    example.resources.pids_max = 5;
    const struct fill_in fill_in = {.id_base = 100000,
                                    .monitor_uid = 9,
                                    .cgroup_parent = "bulkhead",
                                    .selinux_label = "l",
                                    .selinux_mount_label = "m",
                                    .apparmor_profile = "p"};
    struct filled_spec filled;
    struct bh_error error = {0};
    cr_assert_eq(judge_fill(&example.spec, &rules, &fill_in, &filled, &error), 0);
    cr_assert_eq(filled.spec.id_base, 100000);
    cr_assert_eq(filled.spec.id_count, BH_TENANT_IDS);
    cr_assert_eq(filled.spec.monitor_uid, 9);
    cr_assert_str_eq(filled.spec.cgroup_parent, "bulkhead");
    cr_assert_str_eq(filled.spec.selinux_label, "l");
    cr_assert_not(filled.spec.identity_binds);
    cr_assert(filled.spec.mounts[0]->must_be_owned);
    cr_assert_not(example.mount.must_be_owned, "what was asked stays as it is");
    cr_assert_eq(filled.spec.resources->memory_bytes, 77);
    cr_assert_eq(filled.spec.resources->pids_max, 5, "a limit that was asked for stays");
    filled_spec_free(&filled);

    example.spec.tenant_uid = 0;
    example.spec.privileged = true;
    cr_assert_eq(judge_fill(&example.spec, rules_builtin(true), &fill_in, &filled, &error), 0);
    cr_assert(filled.spec.identity_binds);
    cr_assert_not(filled.spec.mounts[0]->must_be_owned);
    cr_assert_str_eq(filled.spec.apparmor_profile, "");
    filled_spec_free(&filled);
}

static void ask_for_device(struct example *example, Bulkhead__Device *device, Bulkhead__Device **list, const char *path,
                           const char *access)
{
    example_init(example);
    bulkhead__device__init(device);
    device->host_path = device->path = example_text(path);
    device->read = strchr(access, 'r') != NULL;
    device->write = strchr(access, 'w') != NULL;
    device->make = strchr(access, 'm') != NULL;
    list[0] = device;
    example->spec.devices = list;
    example->spec.n_devices = 1;
}

Test(judge, devices)
{
    struct example example;
    Bulkhead__Device device, *list[1];
    static const struct {
        const char *path, *access;
        enum rule verdict;
    } rows[] = {{"/dev/fuse", "rwm", RULE_NONE},       {"/dev/sda", "r", RULE_NONE},
                {"/dev/sda", "rw", RULE_DEVICES},      {"/dev/dri/card0", "rw", RULE_NONE},
                {"/dev/dri/card0", "m", RULE_DEVICES}, {"/dev/fuse2", "r", RULE_DEVICES},
                {"/dev/kvm", "r", RULE_DEVICES}};
    ask_for_device(&example, &device, list, "/dev/fuse", "rwm");
    expect(&example, RULE_DEVICES);
    struct rules rules = *rules_builtin(false);
    (void)snprintf(rules.devices.items[0], RULES_PATTERN_SIZE, "/dev/fuse");
    (void)snprintf(rules.devices.items[1], RULES_PATTERN_SIZE, "/dev/sd*:r");
    (void)snprintf(rules.devices.items[2], RULES_PATTERN_SIZE, "/dev/dri/*:rw");
    rules.devices.n = 3;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        ask_for_device(&example, &device, list, rows[i].path, rows[i].access);
        cr_expect_eq(verdict(&example, &rules, 0), rows[i].verdict, "%s %s", rows[i].path, rows[i].access);
    }
    ask_for_device(&example, &device, list, "/dev", "rwm"); /* all of them */
    cr_expect_eq(verdict(&example, &rules, 0), RULE_DEVICES);
    (void)snprintf(rules.devices.items[0], RULES_PATTERN_SIZE, "/dev/*:rw");
    cr_expect_eq(verdict(&example, &rules, 0), RULE_DEVICES);
    (void)snprintf(rules.devices.items[0], RULES_PATTERN_SIZE, "/dev/*");
    cr_expect_eq(verdict(&example, &rules, 0), RULE_NONE);
}

Test(judge, device_rules_places_and_labels)
{
    struct example example;
    Bulkhead__DeviceRule rule = BULKHEAD__DEVICE_RULE__INIT, *rules[] = {&rule};
    example_init(&example);
    example.spec.device_rules = rules;
    example.spec.n_device_rules = 1;
    expect(&example, RULE_DEVICE_RULES);
    example_init(&example);
    example.spec.wanted_cgroup_parent = example_text("web/front");
    expect(&example, RULE_CGROUP_PARENTS);
    example_init(&example);
    example.spec.no_selinux = true;
    expect(&example, RULE_LABELS);
    example_init(&example);
    example.spec.no_apparmor = true;
    expect(&example, RULE_LABELS);
    example_init(&example);
    example.spec.host_cgroup = true;
    expect(&example, RULE_HOST_NAMESPACES);
}

Test(judge, another_containers_network_takes_no_rule)
{
    static uint8_t other[32] = {1};
    struct example example;
    example_init(&example);
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    example.spec.join_network = (ProtobufCBinaryData){.len = sizeof(other), .data = other};
    expect(&example, RULE_NONE);
}

Test(judge, the_cgroup_parent_that_was_asked_for_lies_below_the_configured_one)
{
    struct example example;
    struct filled_spec filled;
    struct bh_error error = {0};
    const struct fill_in fill_in = {.id_base = 65536,
                                    .monitor_uid = 70000000,
                                    .cgroup_parent = "bulkhead",
                                    .selinux_label = "a",
                                    .selinux_mount_label = "b",
                                    .apparmor_profile = "c"};
    example_init(&example);
    example.spec.wanted_cgroup_parent = example_text("web/front");
    example.spec.no_apparmor = true;
    cr_assert_eq(judge_fill(&example.spec, rules_builtin(true), &fill_in, &filled, &error), 0);
    cr_expect_str_eq(filled.spec.cgroup_parent, "bulkhead/web/front");
    cr_expect_str_eq(filled.spec.apparmor_profile, "");
    cr_expect_str_eq(filled.spec.selinux_label, "a");
    filled_spec_free(&filled);
}
