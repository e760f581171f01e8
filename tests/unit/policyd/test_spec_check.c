/* SPDX-License-Identifier: Apache-2.0
 *
 * Specs that make no sense, whoever asks.
 */
#include <criterion/criterion.h>

#include "capability_names.h"
#include "common/limits.h"
#include "example.h"
#include "spec_check.h"

static struct example example;
static struct bh_error error;

static void prepare(void)
{
    example_init(&example);
}

static void accepted(void)
{
    error = (struct bh_error){0};
    cr_assert_eq(spec_check(&example.spec, &error), 0, "%s", error.message);
}

static void refused(const char *what)
{
    error = (struct bh_error){0};
    cr_assert_eq(spec_check(&example.spec, &error), -1, "%s was accepted", what);
    cr_assert_eq(error.code, BH_INVALID_ARGUMENT);
    example_init(&example);
}

Test(spec_check, honest_specs, .init = prepare)
{
    accepted();
    example_bind(&example, "/");
    accepted();
    example.spec.capabilities = CAPABILITY_ALL;
    accepted();
}

Test(spec_check, identity, .init = prepare)
{
    example.spec.id.len = 31;
    refused("a short id");
    example.spec.tenant_uid = UINT32_MAX;
    refused("uid -1");
    ProtobufCBinaryData layer = {.len = 20, .data = example.id};
    example.spec.layers = &layer;
    example.spec.n_layers = 1;
    refused("a short layer digest");
    example.spec.image_digest = layer;
    refused("a short image digest");
    cr_assert_eq(spec_check(NULL, &error), -1);
}

Test(spec_check, fields_of_policyds, .init = prepare)
{
    example.spec.id_base = 1;
    refused("id_base");
    example.spec.id_count = 1;
    refused("id_count");
    example.spec.monitor_uid = 1;
    refused("monitor_uid");
    example.spec.cgroup_parent = example_text("x");
    refused("cgroup_parent");
    example.spec.identity_binds = true;
    refused("identity_binds");
    example.spec.selinux_label = example_text("x");
    refused("selinux_label");
    example.spec.selinux_mount_label = example_text("x");
    refused("selinux_mount_label");
    example.spec.apparmor_profile = example_text("unconfined");
    refused("apparmor_profile");
    example_bind(&example, "/a");
    example.mount.must_be_owned = true;
    refused("must_be_owned");
}

Test(spec_check, paths, .init = prepare)
{
    const char *bad[] = {"", "relative", "/a/../b", "/..", "/a/.", "/a//b", "/a/", "/a\nb", "/./a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(spec_is_clean_path(bad[i]), "\"%s\"", bad[i]);
        example_bind(&example, bad[i]);
        refused(bad[i]);
        example.list[0] = example_text(bad[i]);
        example.spec.masked_paths = example.list;
        example.spec.n_masked_paths = 1;
        refused(bad[i]);
    }
    cr_assert(spec_is_clean_path("/") && spec_is_clean_path("/a/..b/c") && spec_is_clean_path("/..."));
    example_bind(&example, "/a");
    example.mount.target = example_text("/");
    refused("a mount over the root");
}

Test(spec_check, sysctls, .init = prepare)
{
    const char *good[] = {"net.ipv4.ip_forward", "kernel.shmmax", "kernel.msgmnb", "kernel.sem", "fs.mqueue.msg_max"};
    const char *bad[] = {"kernel.core_pattern",
                         "kernel.semantics",
                         "vm.swappiness",
                         "fs.file-max",
                         "net/ipv4/ip_forward",
                         "net.",
                         "net..ipv4",
                         "net.ipv4/../../kernel/core_pattern",
                         "",
                         "kernel.shm max",
                         "net.ipv4."};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        example_sysctl(&example, good[i]);
        accepted();
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        example_sysctl(&example, bad[i]);
        refused(bad[i]);
    }
    example_sysctl(&example, "net.core.somaxconn");
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    refused("net.* of the host's");
    example_sysctl(&example, "kernel.sem");
    example.spec.host_ipc = true;
    refused("IPC of the host's");
    example_sysctl(&example, "net.core.somaxconn");
    example.sysctl.value = example_text("1\n2");
    refused("two lines");
}

Test(spec_check, names_and_lists, .init = prepare)
{
    example.spec.host_name = example_text("bad name");
    refused("a host name with a blank");
    example.list[0] = example_text("8.8.8.8\nnameserver 6.6.6.6");
    example.spec.dns_servers = example.list;
    example.spec.n_dns_servers = 1;
    refused("a name server of two lines");
    example.list[0] = example_text("name:1.2.3.4\n");
    example.spec.extra_hosts = example.list;
    example.spec.n_extra_hosts = 1;
    refused("a host of two lines");
    example.list[0] = example_text("name");
    example.spec.extra_hosts = example.list;
    example.spec.n_extra_hosts = 1;
    refused("a host without an address");
    example.list[0] = example_text("=x");
    example.process.env = example.list;
    example.process.n_env = 1;
    refused("a variable without a name");
    example.process.n_args = 0;
    refused("no program");
    example.spec.process = NULL;
    refused("no process");
    example.process.cwd = example_text("relative");
    refused("a relative working directory");
}

Test(spec_check, numbers, .init = prepare)
{
    example.spec.capabilities = 1ULL << 63;
    refused("a capability that does not exist");
    example.spec.oom_score_adjust = 1001;
    refused("an OOM score");
    example.resources.cpu_period_us = 999;
    refused("a short period");
    example.resources.cpuset_cpus = example_text("0-3;rm");
    refused("a cpuset");
    example.resources.blkio_weight = 5;
    refused("a weight");
    example.spec.resources = NULL;
    refused("no resources");
    example.spec.network = (Bulkhead__NetworkMode)0;
    refused("no network mode");
}

Test(spec_check, limits_and_seccomp, .init = prepare)
{
    example.limit.name = example_text("nofile");
    example.limit.soft = 10;
    example.limit.hard = 20;
    example.spec.limits = example.limits;
    example.spec.n_limits = 1;
    accepted();
    example.limit.soft = 21;
    refused("soft above hard");
    example.limit.name = example_text("nofile");
    example.spec.limits = example.limits;
    example.spec.n_limits = 2;
    refused("the same limit twice");
    example.limit.name = example_text("NOFILE");
    example.spec.limits = example.limits;
    example.spec.n_limits = 1;
    refused("a limit that is none");
    example.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE;
    refused("profile mode without a profile");
    static uint8_t garbage[] = {0xff, 0xff};
    example.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE;
    example.spec.seccomp_profile = (ProtobufCBinaryData){.len = 2, .data = garbage};
    refused("garbage for a profile");
    example.spec.seccomp_profile = (ProtobufCBinaryData){.len = 2, .data = garbage};
    refused("a profile without its mode");
}

Test(spec_check, devices, .init = prepare)
{
    Bulkhead__Device device = BULKHEAD__DEVICE__INIT, *devices[] = {&device};
    static const char *const wrong[] = {"/etc/passwd", "/dev/../etc/passwd", "/dev/", "/dev//x", "dev/x"};
    device.path = example_text("/dev/x");
    device.read = true;
    for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
        example.spec.devices = devices;
        example.spec.n_devices = 1;
        device.host_path = example_text(i ? wrong[i - 1] : "/dev/fuse");
        if (i) {
            refused(wrong[i - 1]);
        } else {
            accepted();
        }
    }
    Bulkhead__DeviceRule rule = BULKHEAD__DEVICE_RULE__INIT, *rules[] = {&rule};
    example.spec.device_rules = rules;
    example.spec.n_device_rules = 1;
    refused("a device rule without a kind");
}

Test(spec_check, shared_namespaces, .init = prepare)
{
    static uint8_t other[32] = {9};
    const ProtobufCBinaryData id = {.len = sizeof(other), .data = other}, cut = {.len = 4, .data = other};
    example.spec.join_pid = id;
    accepted();
    example.spec.host_pid = true;
    refused("the host's and another container's");
    example.spec.join_ipc = cut;
    refused("a short id");
    example.spec.join_network = id;
    refused("a network to join in another mode");
    example.spec.join_pid = example.spec.id;
    refused("its own namespace");
    example.spec.no_shm = example.spec.host_ipc = true;
    refused("IPC mode none with the host's");
}

Test(spec_check, cgroup_parents_lead_down_only, .init = prepare)
{
    static const char *const wrong[] = {"/a", "a/", "a//b", "..", "a/../b", "a b", "."};
    example.spec.wanted_cgroup_parent = example_text("web/front-1.slice");
    accepted();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        example.spec.wanted_cgroup_parent = example_text(wrong[i]);
        refused(wrong[i]);
    }
}

Test(spec_check, limits_of_devices, .init = prepare)
{
    Bulkhead__DeviceLimit limit = BULKHEAD__DEVICE_LIMIT__INIT, *limits[] = {&limit};
    limit.path = example_text("/dev/sda");
    example.resources.read_bytes = limits;
    example.resources.n_read_bytes = 1;
    accepted();
    limit.path = example_text("/sda");
    refused("a limit of what is no device");
    example.resources.memory_swappiness_set = true;
    example.resources.memory_swappiness = 101;
    refused("a swappiness of 101");
}
