/* SPDX-License-Identifier: Apache-2.0
 *
 * The planner: what follows from a spec, and in what order.
 */
#include <criterion/criterion.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "example.h"
#include "plan.h"

static struct example example;
static struct container_spec *spec;
static struct plan *plan;

static void make(void)
{
    struct bh_error error = {0};
    plan_free(plan);
    spec_free(spec);
    cr_assert_eq(spec_decode(&example.spec, EXAMPLE_CGROUP_PARENT, &spec, &error), 0, "%s", error.message);
    cr_assert_eq(plan_make(spec, &plan, &error), 0);
}

static void set_up(void)
{
    example_init(&example);
    plan = NULL;
    spec = NULL;
}

static void tear_down(void)
{
    plan_free(plan);
    spec_free(spec);
}

TestSuite(plan, .init = set_up, .fini = tear_down);

/* Where the first operation of that kind (and target) stands; -1 if there is none. */
static int find(enum operation_kind kind, const char *target)
{
    for (size_t i = 0; i < plan->n_operations; i++) {
        if (plan->operations[i].kind == kind && (!target || strcmp(plan->operations[i].target, target) == 0)) {
            return (int)i;
        }
    }
    return -1;
}

Test(plan, every_namespace_is_its_own)
{
    make();
    cr_expect_eq(plan->namespaces,
                 CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET);
    cr_expect_not(plan->join_host_net || plan->join_host_ipc || plan->join_host_uts);
}

Test(plan, the_user_namespace_is_its_own_even_with_all_of_the_hosts)
{
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    example.spec.host_pid = example.spec.host_ipc = example.spec.host_uts = true;
    make();
    cr_expect_eq(plan->namespaces, CLONE_NEWUSER | CLONE_NEWNS);
    cr_expect(plan->join_host_net && plan->join_host_ipc && plan->join_host_uts);
    cr_expect_geq(find(OPERATION_HOST_SHM, "/dev/shm"), 0);
    cr_expect_lt(find(OPERATION_TMPFS, "/dev/shm"), 0);
    cr_expect_lt(find(OPERATION_LOOPBACK, NULL), 0);
    cr_expect_lt(find(OPERATION_HOST_NAME, NULL), 0);
}

Test(plan, the_root_comes_first_and_hardening_last)
{
    char *masked[] = {"/proc/kcore"}, *read_only[] = {"/proc/sys"};
    Bulkhead__Mount mount = BULKHEAD__MOUNT__INIT, *mounts[] = {&mount};
    mount.kind = BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
    mount.source = "/srv";
    mount.target = "/data";
    mount.read_only = true;
    example.spec.mounts = mounts;
    example.spec.n_mounts = 1;
    example.spec.masked_paths = masked;
    example.spec.n_masked_paths = 1;
    example.spec.read_only_paths = read_only;
    example.spec.n_read_only_paths = 1;
    example.spec.read_only_root = true;
    make();
    int bind = find(OPERATION_BIND, "/data");
    cr_assert_geq(bind, 0);
    cr_expect_eq(find(OPERATION_ROOT, NULL), 0);
    cr_expect_lt(find(OPERATION_PROC, NULL), bind);
    cr_expect_lt(find(OPERATION_DEV, NULL), find(OPERATION_DEVPTS, NULL));
    cr_expect_lt(bind, find(OPERATION_MASK, NULL));
    cr_expect_lt(find(OPERATION_MASK, NULL), find(OPERATION_READ_ONLY_PATH, NULL));
    cr_expect_eq(find(OPERATION_READ_ONLY_ROOT, NULL), (int)plan->n_operations - 1);
    cr_expect_eq(plan->operations[bind].attributes, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY);
}

Test(plan, only_our_own_dev_may_hold_devices)
{
    make();
    for (size_t i = 0; i < plan->n_operations; i++) {
        const struct operation *operation = &plan->operations[i];
        bool is_mount = operation->attributes != 0;
        bool may = operation->kind == OPERATION_DEV || operation->kind == OPERATION_DEVICE ||
                   operation->kind == OPERATION_DEVPTS;
        cr_expect(!is_mount || may || (operation->attributes & MOUNT_ATTR_NODEV), "operation %d at %s",
                  (int)operation->kind, operation->target);
    }
}

Test(plan, proc_sys_and_dev_need_ordinary_folders)
{
    make();
    cr_expect(plan->operations[find(OPERATION_PROC, NULL)].ordinary_folder);
    cr_expect(plan->operations[find(OPERATION_SYSFS, NULL)].ordinary_folder);
    cr_expect(plan->operations[find(OPERATION_DEV, NULL)].ordinary_folder);
    cr_expect(plan->operations[find(OPERATION_SYSFS, NULL)].attributes & MOUNT_ATTR_RDONLY);
}

Test(plan, a_console_only_with_a_terminal)
{
    make();
    cr_expect_lt(find(OPERATION_CONSOLE, NULL), 0);
    example.process.tty = true;
    make();
    cr_expect_geq(find(OPERATION_CONSOLE, NULL), 0);
}

Test(plan, what_is_shared_with_another_container_is_not_made)
{
    static uint8_t other[32] = {0x12};
    const ProtobufCBinaryData id = {.len = sizeof(other), .data = other};
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED;
    example.spec.join_network = example.spec.join_ipc = example.spec.join_pid = id;
    make();
    cr_expect(plan->shared);
    cr_expect_eq(plan->namespaces, CLONE_NEWNS | CLONE_NEWUTS, "and the user namespace is the other's, too");
    cr_expect_not(plan->join_host_net || plan->join_host_ipc);
    cr_expect_lt(find(OPERATION_LOOPBACK, NULL), 0);
    cr_expect_lt(find(OPERATION_TMPFS, "/dev/shm"), 0);
    cr_expect_geq(find(OPERATION_SHARED_SHM, "/dev/shm"), 0);
}

Test(plan, without_shared_memory)
{
    example.spec.no_shm = true;
    make();
    cr_expect_lt(find(OPERATION_TMPFS, "/dev/shm"), 0);
    cr_expect(plan->namespaces & CLONE_NEWIPC);
}

Test(plan, the_hosts_cgroup_namespace)
{
    make();
    cr_expect_not(plan->join_host_cgroup);
    cr_expect_not(plan->operations[find(OPERATION_CGROUPS, NULL)].recursive);
    example.spec.host_cgroup = true;
    make();
    cr_expect(plan->join_host_cgroup);
    cr_expect(plan->operations[find(OPERATION_CGROUPS, NULL)].recursive, "the host's mounts, bound");
    cr_expect(plan->operations[find(OPERATION_CGROUPS, NULL)].attributes & MOUNT_ATTR_RDONLY);
}

Test(plan, devices_come_after_mounts_and_before_hardening)
{
    char *masked[] = {"/proc/kcore"};
    Bulkhead__Device device = BULKHEAD__DEVICE__INIT, *devices[] = {&device};
    device.host_path = "/dev/zero";
    device.path = "/srv/zero";
    device.read = true;
    example.spec.devices = devices;
    example.spec.n_devices = 1;
    example.spec.masked_paths = masked;
    example.spec.n_masked_paths = 1;
    make();
    int at = find(OPERATION_DEVICE, "/srv/zero");
    cr_assert_geq(at, 0);
    cr_expect_gt(at, find(OPERATION_DEV, NULL));
    cr_expect_lt(at, find(OPERATION_MASK, NULL));
    cr_expect_str_eq(plan->operations[at].source, "/dev/zero");
    cr_expect_eq(plan->operations[at].access, SPEC_DEVICE_READ);
    cr_expect(plan->operations[at].attributes & MOUNT_ATTR_NOSUID);
}

Test(plan, a_network_of_its_own_lets_everybody_ping_and_serve_every_port)
{
    Bulkhead__KeyValue sysctl = BULKHEAD__KEY_VALUE__INIT, *sysctls[] = {&sysctl};
    sysctl.key = "net.ipv4.ping_group_range";
    sysctl.value = "1 0";
    example.spec.sysctls = sysctls;
    example.spec.n_sysctls = 1;
    make();
    int ports = find(OPERATION_SYSCTL, "net.ipv4.ip_unprivileged_port_start");
    int first = find(OPERATION_SYSCTL, "net.ipv4.ping_group_range");
    cr_assert(ports >= 0 && first >= 0);
    cr_expect_str_eq(plan->operations[ports].source, "0");
    cr_expect_str_eq(plan->operations[first].source, "0 65535");
    cr_expect_str_eq(plan->operations[first + 1].source, "1 0", "what the spec says comes after");
    example.spec.n_sysctls = 0;
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    make();
    cr_expect_lt(find(OPERATION_SYSCTL, NULL), 0, "the host's own settings are left alone");
}

Test(plan, links_are_waited_for_last_of_all_but_before_settings_that_may_name_one)
{
    Bulkhead__Attachment attachment = BULKHEAD__ATTACHMENT__INIT;
    Bulkhead__KeyValue sysctl = BULKHEAD__KEY_VALUE__INIT, *sysctls[] = {&sysctl};
    example.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    example.spec.attachment = &attachment;
    example.spec.sysctls = sysctls;
    example.spec.n_sysctls = 1;
    sysctl.key = "kernel.shmmax";
    sysctl.value = "1";
    make();
    cr_expect(plan->namespaces & CLONE_NEWNET);
    cr_expect_lt(find(OPERATION_LOOPBACK, NULL), 0, "lo is up before");
    cr_expect_eq(find(OPERATION_LINKS, NULL), (int)plan->n_operations - 1);
    sysctl.key = "net.ipv4.conf.eth0.forwarding";
    make();
    cr_expect_eq(find(OPERATION_LINKS, NULL) + 1, find(OPERATION_SYSCTL, sysctl.key));
    size_t n = 0;
    for (size_t i = 0; i < plan->n_operations; i++) {
        n += plan->operations[i].kind == OPERATION_LINKS;
    }
    cr_expect_eq(n, 1, "once");
}
