/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding a spec: the right one passes, and each wrong field is refused by name.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include "common/limits.h"
#include "example.h"
#include "spec.h"

static struct example example;
static struct container_spec *spec;
static struct bh_error error;

static void set_up(void)
{
    example_init(&example);
    bh_error_clear(&error);
    spec = NULL;
}

static void tear_down(void)
{
    spec_free(spec);
}

TestSuite(spec, .init = set_up, .fini = tear_down);

static void expect_right(void)
{
    spec_free(spec);
    spec = NULL;
    cr_expect_eq(spec_decode(&example.spec, EXAMPLE_CGROUP_PARENT, &spec, &error), 0, "%s", error.message);
}

static void expect_wrong(const char *what)
{
    struct container_spec *result = NULL;
    bh_error_clear(&error);
    cr_expect_eq(spec_decode(&example.spec, EXAMPLE_CGROUP_PARENT, &result, &error), -1, "%s was taken", what);
    cr_expect_eq(error.code, BH_INVALID_ARGUMENT, "%s: %s", what, error.message);
    cr_expect_null(result, "%s left something behind", what);
    example_init(&example);
}

Test(spec, the_example_is_right)
{
    expect_right();
    cr_assert_not_null(spec);
    cr_expect_str_eq(spec->name, "abcd000000000000000000000000000000000000000000000000000000000000");
    cr_expect_eq(spec->args.n, 1);
    cr_expect_eq(spec->network, SPEC_NETWORK_NONE);
}

Test(spec, a_missing_spec_is_refused)
{
    cr_expect_eq(spec_decode(NULL, EXAMPLE_CGROUP_PARENT, &spec, &error), -1);
}

Test(spec, identity)
{
    example.spec.id.len = 31;
    expect_wrong("a short id");
    example.spec.id_base = 0;
    expect_wrong("the host's own ids");
    example.spec.id_base = 65535;
    expect_wrong("a range that begins among the host's users");
    example.spec.id_base = UINT32_MAX - 100;
    expect_wrong("a range beyond 32 bits");
    example.spec.id_count = 1;
    expect_wrong("a narrow range");
    example.spec.monitor_uid = 0;
    expect_wrong("a monitor that is root");
    example.spec.monitor_uid = example.spec.id_base + 5;
    expect_wrong("a monitor whose id the container has");
}

Test(spec, cgroup_parent)
{
    static char *const wrong[] = {
        "", "/", "..", "other", "bulkhead-test/..", "bulkhead-test/../x", "bulkhead-tests", "/bulkhead-test"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        example.spec.cgroup_parent = wrong[i];
        expect_wrong(wrong[i]);
    }
    example.spec.cgroup_parent = "bulkhead-test/tenant-7";
    expect_right();
}

Test(spec, layers)
{
    static uint8_t digest[32];
    ProtobufCBinaryData layers[BH_LAYERS_MAX + 1];
    for (size_t i = 0; i < BH_LAYERS_MAX + 1; i++) {
        layers[i] = (ProtobufCBinaryData){.len = 32, .data = digest};
    }
    example.spec.layers = layers;
    example.spec.n_layers = BH_LAYERS_MAX + 1;
    expect_wrong("too many layers");
    layers[0].len = 33;
    example.spec.layers = layers;
    example.spec.n_layers = 1;
    expect_wrong("a long digest");
}

Test(spec, process)
{
    char *bad_env[] = {"NOVALUE"}, *nameless[] = {"=x"};
    example.process.n_args = 0;
    expect_wrong("no command");
    example.process.env = bad_env;
    expect_wrong("an environment entry without a value");
    example.process.env = nameless;
    expect_wrong("an environment entry without a name");
    example.process.cwd = "relative";
    expect_wrong("a relative working directory");
    example.process.tty_rows = 70000;
    expect_wrong("a terminal of 70000 rows");
    example.spec.process = NULL;
    expect_wrong("no process");
}

Test(spec, mounts)
{
    static char *const targets[] = {"", "relative", "/", "//", "/proc", "/proc/self", "/a/../proc", "/a/.."};
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT, *mounts[] = {&mount};
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS;
        mount.target = targets[i];
        example.spec.mounts = mounts;
        example.spec.n_mounts = 1;
        expect_wrong(targets[i]);
    }
    mount.target = "/data";
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    mount.source = "relative";
    example.spec.mounts = mounts;
    example.spec.n_mounts = 1;
    expect_wrong("a relative source");
    mount.source = "/a/../b";
    example.spec.mounts = mounts;
    example.spec.n_mounts = 1;
    expect_wrong("a source with ..");
    mount.kind = (Bulkhead__MountKind)99;
    example.spec.mounts = mounts;
    example.spec.n_mounts = 1;
    expect_wrong("an unknown kind of mount");
}

Test(spec, confinement)
{
    example.spec.network = (Bulkhead__NetworkMode)9;
    expect_wrong("an unknown network mode");
    example.spec.seccomp = (Bulkhead__SeccompMode)9;
    expect_wrong("an unknown seccomp mode");
    example.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNSPECIFIED;
    expect_wrong("no seccomp mode");
    example.spec.capabilities = 1ULL << 60;
    expect_wrong("a capability there is not");
    example.spec.oom_score_adjust = 1001;
    expect_wrong("an OOM score adjustment of 1001");
    example.spec.host_name = "a b";
    expect_wrong("a host name with a space");
    example.spec.host_name = "a\nb";
    expect_wrong("a host name of two lines");
}

Test(spec, sysctls_belong_to_the_containers_own_namespaces)
{
    static char *const wrong[] = {"kernel.core_pattern",
                                  "vm.swappiness",
                                  "kernel.shmmax/../../core_pattern",
                                  "net..core",
                                  "fs.protected_links",
                                  "kernel.modprobe",
                                  ""};
    Bulkhead__KeyValue sysctl = BULKHEAD__KEY_VALUE__INIT, *sysctls[] = {&sysctl};
    sysctl.value = "1";
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        sysctl.key = wrong[i];
        example.spec.sysctls = sysctls;
        example.spec.n_sysctls = 1;
        expect_wrong(wrong[i]);
    }
    sysctl.key = "net.ipv4.ip_unprivileged_port_start";
    example.spec.sysctls = sysctls;
    example.spec.n_sysctls = 1;
    expect_right();
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    expect_wrong("a network sysctl on the host's network");
}

Test(spec, limits)
{
    Bulkhead__ResourceLimit limit = BULKHEAD__RESOURCE_LIMIT__INIT, *limits[] = {&limit};
    limit.name = "nofile";
    limit.soft = 10;
    limit.hard = UINT64_MAX;
    example.spec.limits = limits;
    example.spec.n_limits = 1;
    expect_right();
    cr_assert_not_null(spec);
    cr_expect_eq(spec->limits[0].resource, RLIMIT_NOFILE);
    limit.hard = 9;
    expect_wrong("a soft limit above the hard one");
    limit.name = "RLIMIT_NOFILE";
    limit.hard = 10;
    example.spec.limits = limits;
    example.spec.n_limits = 1;
    expect_wrong("an unknown limit");
}

Test(spec, resources)
{
    example.resources.memory_bytes = 4096;
    expect_wrong("a memory limit of a page");
    example.resources.memory_bytes = 64 << 20;
    example.resources.memory_swap_bytes = 32 << 20;
    expect_wrong("less memory with swap than without");
    example.resources.cpuset_cpus = "0\n1";
    expect_wrong("a cpuset of two lines");
    example.resources.blkio_weight = 5;
    expect_wrong("a blkio weight of 5");
    example.resources.memory_bytes = 64 << 20;
    example.resources.memory_swap_bytes = UINT64_MAX;
    expect_right();
}

Test(spec, names_and_addresses)
{
    static char *const hosts[] = {"nocolon", "a:notanaddress", "a b:1.2.3.4", "a:1.2.3.4\n5.6.7.8 b", ":1.2.3.4"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char *list[] = {hosts[i]};
        example.spec.extra_hosts = list;
        example.spec.n_extra_hosts = 1;
        expect_wrong(hosts[i]);
    }
    char *servers[] = {"example.com"}, *search[] = {"a b"}, *options[] = {"ndots:1\nnameserver 6.6.6.6"};
    example.spec.dns_servers = servers;
    example.spec.n_dns_servers = 1;
    expect_wrong("a DNS server by name");
    example.spec.dns_search = search;
    example.spec.n_dns_search = 1;
    expect_wrong("a search domain with a space");
    example.spec.dns_options = options;
    example.spec.n_dns_options = 1;
    expect_wrong("a DNS option of two lines");
}

Test(spec, devices)
{
    Bulkhead__Device device = BULKHEAD__DEVICE__INIT, *devices[] = {&device};
    static const struct {
        char *host, *inside;
        bool right;
    } rows[] = {{"/dev", "/dev", true},
                {"/dev", "/srv/x", false},
                {"/dev/", "/dev", false},
                {"/dev/fuse", "/dev/fuse", true},
                {"/dev/bus/usb/001/002", "/srv/x", true},
                {"/etc/passwd", "/dev/x", false},
                {"/dev/", "/dev/x", false},
                {"/dev/../etc", "/dev/x", false},
                {"/dev/fuse", "dev/x", false},
                {"/dev/fuse", "/", false},
                {"/dev/fuse", "/a/../b", false},
                {"fuse", "/dev/fuse", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        example.spec.devices = devices;
        example.spec.n_devices = 1;
        device.host_path = rows[i].host;
        device.path = rows[i].inside;
        device.read = true;
        if (rows[i].right) {
            expect_right();
        } else {
            expect_wrong(rows[i].host);
        }
    }
    example.spec.devices = devices;
    example.spec.n_devices = 1;
    device.host_path = device.path = "/dev/fuse";
    device.read = false;
    expect_wrong("a device that is for nothing");
}

Test(spec, device_rules)
{
    Bulkhead__DeviceRule rule = BULKHEAD__DEVICE_RULE__INIT, *rules[] = {&rule};
    example.spec.device_rules = rules;
    example.spec.n_device_rules = 1;
    rule.kind = BULKHEAD__DEVICE_KIND__DEVICE_KIND_CHARACTER;
    rule.major = 10;
    rule.any_minor = rule.read = true;
    expect_right();
    cr_assert_eq(spec->n_device_rules, 1);
    cr_expect_eq(spec->device_rules[0].kind, 'c');
    cr_expect_eq(spec->device_rules[0].major, 10);
    cr_expect_eq(spec->device_rules[0].minor, -1);
    rule.kind = (Bulkhead__DeviceKind)9;
    expect_wrong("an unknown kind");
    example.spec.device_rules = rules;
    example.spec.n_device_rules = 1;
    rule.kind = BULKHEAD__DEVICE_KIND__DEVICE_KIND_BLOCK;
    rule.major = 5000;
    expect_wrong("a major number beyond the kernel's");
}

Test(spec, shared_namespaces)
{
    static uint8_t other[32] = {1};
    const ProtobufCBinaryData id = {.len = sizeof(other), .data = other}, cut = {.len = 5, .data = other};
    example.spec.join_pid = id;
    expect_right();
    cr_expect_not_null(spec->join_pid);
    example.spec.join_pid = cut;
    expect_wrong("a short id");
    example.spec.join_pid = id;
    example.spec.host_pid = true;
    expect_wrong("the host's and another container's");
    example.spec.join_network = id;
    expect_wrong("a network to join without the mode");
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    expect_wrong("the mode without a network to join");
    example.spec.join_ipc = id;
    example.spec.no_shm = true;
    expect_wrong("shared memory that is shared and not there");
}

Test(spec, sysctls_of_a_namespace_that_is_shared_are_refused)
{
    static uint8_t other[32] = {1};
    Bulkhead__KeyValue sysctl = BULKHEAD__KEY_VALUE__INIT, *sysctls[] = {&sysctl};
    sysctl.value = "1";
    sysctl.key = "net.ipv4.ip_forward";
    example.spec.sysctls = sysctls;
    example.spec.n_sysctls = 1;
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    example.spec.join_network = (ProtobufCBinaryData){.len = sizeof(other), .data = other};
    expect_wrong("a sysctl of another container's network");
    sysctl.key = "kernel.shmmax";
    example.spec.sysctls = sysctls;
    example.spec.n_sysctls = 1;
    example.spec.join_ipc = (ProtobufCBinaryData){.len = sizeof(other), .data = other};
    expect_wrong("a sysctl of another container's IPC namespace");
}

/* The example, linked. */
static void link_example(Bulkhead__Attachment *attachment)
{
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    example.spec.attachment = attachment;
}

Test(spec, links_come_with_their_mode_alone)
{
    uint8_t address[16] = {10, 0, 0, 2};
    Bulkhead__Attachment attachment = BULKHEAD__ATTACHMENT__INIT;
    Bulkhead__Endpoint endpoint = BULKHEAD__ENDPOINT__INIT, *endpoints[33];
    for (size_t i = 0; i < 33; i++) {
        endpoints[i] = &endpoint;
    }
    attachment.endpoints = endpoints;
    attachment.n_endpoints = 1;
    endpoint.address4 = (ProtobufCBinaryData){.len = 4, .data = address};
    link_example(&attachment);
    expect_right();
    cr_expect_not(spec->has_ipv6);
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE;
    expect_wrong("links without a network to link to");
    link_example(NULL);
    expect_wrong("a network to link to without links");
    link_example(&attachment);
    endpoint.address6 = (ProtobufCBinaryData){.len = 4, .data = address};
    expect_wrong("an IPv6 address of 4 bytes");
    link_example(&attachment);
    endpoint.address6.len = 16;
    expect_right();
    cr_expect(spec->has_ipv6);
    attachment.n_endpoints = 33;
    expect_wrong("33 links");
    link_example(&attachment);
    attachment.n_endpoints = 0;
    expect_right();
}
