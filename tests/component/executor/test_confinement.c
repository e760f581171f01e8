/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container may and sees, read from /proc inside and outside of it.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "stage.h"

TestSuite(confinement, .init = stage_open, .fini = stage_close, .timeout = 120);

static char output[65536];

/* A container that waits until its input ends. */
static void start_waiting(struct container *container)
{
    container_init(container, "cat");
    container->process.open_stdin = true;
    container->process.stdin_once = true;
    cr_assert_eq(container_start(container), 0, "%s", container->error.message);
}

static void finish(struct container *container)
{
    bh_close(&container->standard_input);
    cr_expect_eq(container_wait(container), 0);
    container_remove(container);
}

Test(confinement, capabilities_in_all_five_sets)
{
    cr_expect_eq(run("grep -e Cap -e NoNewPrivs -e Seccomp: /proc/self/status", output, sizeof(output)), 0);
    cr_expect_str_eq(output, "CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\n"
                             "CapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
}

Test(confinement, without_no_new_privileges_the_filter_is_in_force_too)
{
    struct container container;
    container_init(&container, "grep -e CapEff -e CapPrm -e NoNewPrivs -e Seccomp: /proc/self/status");
    container.spec.no_new_privileges = false;
    container.spec.capabilities = 0;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t2\n");
}

Test(confinement, every_namespace_is_its_own)
{
    static const char *const names[] = {"user", "pid", "mnt", "ipc", "uts", "net", "cgroup"};
    struct container container;
    start_waiting(&container);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[64], inside[64] = "", host[64] = "", service[64] = "";
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", container.pid, names[i]);
        cr_assert_gt(readlink(path, inside, sizeof(inside) - 1), 0, "%s", path);
        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        cr_assert_gt(readlink(path, host, sizeof(host) - 1), 0);
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", stage.pid, names[i]);
        cr_assert_gt(readlink(path, service, sizeof(service) - 1), 0);
        cr_expect_str_neq(inside, host, "%s is the host's", names[i]);
        cr_expect_str_neq(inside, service, "%s is the executor's", names[i]);
    }
    finish(&container);
}

Test(confinement, ids_are_the_tenants_range)
{
    struct container container;
    char path[64];
    struct stat status;
    start_waiting(&container);
    (void)snprintf(path, sizeof(path), "/proc/%d/root/bin/busybox", container.pid);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_uid, STAGE_ID_BASE);
    (void)snprintf(path, sizeof(path), "/proc/%d/uid_map", container.pid);
    bh_autofclose FILE *map = fopen(path, "re");
    unsigned int inside, outside, count;
    cr_assert(map && fscanf(map, "%u %u %u", &inside, &outside, &count) == 3);
    cr_expect(inside == 0 && outside == STAGE_ID_BASE && count == 65536);
    finish(&container);
}

/* The number behind a key of /proc/PID/status, in the given base. */
static unsigned long long status_of(int pid, const char *key, int base)
{
    char path[64], line[256];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    bh_autofclose FILE *status = fopen(path, "re");
    size_t length = strlen(key);
    while (status && fgets(line, sizeof(line), status)) {
        if (strncmp(line, key, length) == 0 && line[length] == ':') {
            return strtoull(line + length + 1, NULL, base);
        }
    }
    cr_assert_fail("%s has no %s", path, key);
    return 0;
}

/* Whether the process has become the monitor yet: the container runs a moment earlier. */
static bool is_monitor(int pid)
{
    char path[64], name[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    bh_autofclose FILE *comm = fopen(path, "re");
    return comm && fgets(name, sizeof(name), comm) && strcmp(name, "bulkhead-monito\n") == 0;
}

/* An id that is not the container's, no capability, nothing but its own descriptors, an empty root, no network. */
Test(confinement, the_monitor_has_nothing)
{
    static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
    struct container container;
    char path[64], inside[64] = "", host[64] = "";
    start_waiting(&container);
    int monitor = (int)status_of(container.pid, "PPid", 10);
    for (uint64_t until = bh_now_ms() + 10000; !is_monitor(monitor) && bh_now_ms() < until;) {
        (void)poll(NULL, 0, 1);
    }
    cr_assert(is_monitor(monitor));
    cr_expect_eq(status_of(monitor, "Uid", 10), STAGE_MONITOR_UID);
    cr_expect_eq(status_of(monitor, "Gid", 10), STAGE_MONITOR_UID);
    cr_expect_eq(status_of(monitor, "NoNewPrivs", 10), 1);
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        cr_expect_eq(status_of(monitor, sets[i], 16), 0, "%s", sets[i]);
    }
    static const char *const names[] = {"net", "ipc", "uts"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", monitor, names[i]);
        cr_assert_gt(readlink(path, inside, sizeof(inside) - 1), 0, "%s", path);
        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
        cr_assert_gt(readlink(path, host, sizeof(host) - 1), 0);
        cr_expect_str_neq(inside, host, "%s is the host's", names[i]);
    }
#ifndef BH_SANITIZE /* with the sanitizers it is linked dynamically, and keeps the host's root */
    (void)snprintf(path, sizeof(path), "/proc/%d/root/.", monitor);
    bh_autoclosedir DIR *root = opendir(path);
    cr_assert_not_null(root);
    for (const struct dirent *entry = readdir(root); entry; entry = readdir(root)) {
        cr_expect(strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0, "its root has %s",
                  entry->d_name);
    }
#endif
    finish(&container);
}

Test(confinement, networks)
{
    cr_expect_eq(run("cat /proc/net/dev | grep -c :; cat /sys/class/net/lo/operstate", output, sizeof(output)), 0);
    cr_expect(strncmp(output, "1\n", 2) == 0, "not loopback alone: %s", output);
    struct container container;
    container_init(&container, "readlink /proc/self/ns/net; ls -d /sys/class/net");
    container.spec.network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    char host[64] = "";
    cr_assert_gt(readlink("/proc/self/ns/net", host, sizeof(host) - 1), 0);
    cr_expect_eq(strncmp(output, host, strlen(host)), 0, "%s", output);
}

Test(confinement, masked_and_read_only_paths)
{
    cr_expect_eq(run("stat -c %F /proc/keys /proc/timer_list; ls /sys/firmware | wc -l; "
                     "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches /proc/sysrq-trigger; do "
                     "echo 1 2>/dev/null > $f && echo wrote $f; done; "
                     "mkdir /sys/fs/cgroup/pids/x 2>/dev/null && echo made; umount /proc/keys 2>/dev/null && echo "
                     "unmasked; true",
                     output, sizeof(output)),
                 0);
    cr_expect_str_eq(output, "character special file\ncharacter special file\n0\n");
}

Test(confinement, what_the_filter_forbids)
{
    cr_expect_neq(run("mount -t tmpfs x /tmp 2>&1", output, sizeof(output)), 0);
    cr_expect_neq(run("mknod /tmp/sda b 8 0 2>&1", output, sizeof(output)), 0);
    cr_expect_neq(run("hostname other 2>&1", output, sizeof(output)), 0);
    struct container container;
    container_init(&container, "mkdir /tmp/m && mount -t tmpfs x /tmp/m && echo mounted");
    container.spec.capabilities |= 1ULL << 21;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "with CAP_SYS_ADMIN: %s%s", output,
                 container.error.message);
    cr_expect_str_eq(output, "mounted\n");
}

Test(confinement, a_profile_of_the_users_own)
{
    struct container container;
    char *names[] = {"mkdir", "mkdirat"};
    uint8_t packed[256];
    Bulkhead__SeccompRule rule = BULKHEAD__SECCOMP_RULE__INIT, *rules[] = {&rule};
    Bulkhead__SeccompProfile profile = BULKHEAD__SECCOMP_PROFILE__INIT;
    rule.names = names;
    rule.n_names = 2;
    rule.action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO;
    rule.errno_value = 28;
    profile.default_action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW;
    profile.rules = rules;
    profile.n_rules = 1;
    container_init(&container, "mkdir /tmp/x 2>&1");
    container.spec.seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE;
    container.spec.seccomp_profile =
        (ProtobufCBinaryData){.len = bulkhead__seccomp_profile__pack(&profile, packed), .data = packed};
    cr_expect_eq(container_run(&container, output, sizeof(output)), 1, "%s", container.error.message);
    cr_expect(strstr(output, "No space left"), "%s", output);
}

Test(confinement, limits)
{
    struct container container;
    container_init(&container, "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max "
                               "/sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || "
                               "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max; ulimit -n; ulimit -c");
    Bulkhead__ResourceLimit files = BULKHEAD__RESOURCE_LIMIT__INIT, *limits[] = {&files};
    files.name = "nofile";
    files.soft = 100;
    files.hard = 200;
    container.spec.limits = limits;
    container.spec.n_limits = 1;
    container.resources.memory_bytes = 64 << 20;
    container.resources.pids_max = 50;
    container.resources.cpu_quota_us = 50000;
    container.resources.cpu_period_us = 100000;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect(strncmp(output, "67108864\n50\n", 12) == 0 && strstr(output, "\n100\n0\n"), "%s", output);
}

/* Somebody tidies up empty cgroups while nothing runs. */
Test(confinement, a_cgroup_parent_that_was_removed_is_prepared_again)
{
    struct container container;
    glob_t found = {0};
    char pattern[96];
    cr_assert_eq(run("true", output, sizeof(output)), 0);
    stage_settle();
    (void)snprintf(pattern, sizeof(pattern), "/sys/fs/cgroup/*/bulkhead-test-%d", (int)getpid());
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        cr_assert_eq(rmdir(found.gl_pathv[i]), 0, "%s", found.gl_pathv[i]);
    }
    globfree(&found);
    container_init(&container, "cat /sys/fs/cgroup/devices/devices.list 2>/dev/null; echo ran");
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect(strstr(output, "ran"), "%s", output);
    cr_expect_null(strstr(output, "a *:*"), "every device is allowed: %s", output);
}

Test(confinement, a_hard_limit_beyond_ours_is_a_clear_error)
{
    struct container container;
    container_init(&container, "true");
    Bulkhead__ResourceLimit core = BULKHEAD__RESOURCE_LIMIT__INIT, *limits[] = {&core};
    core.name = "core"; /* the executor's own is 0 */
    core.soft = core.hard = UINT64_MAX;
    container.spec.limits = limits;
    container.spec.n_limits = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), -1);
    cr_expect_eq(container.error.code, BH_FAILED_PRECONDITION, "%s", container.error.message);
    cr_expect(strstr(container.error.message, "core"), "%s", container.error.message);
}

Test(confinement, processes_are_counted)
{
    struct container container;
    container_init(&container, "i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; echo unbounded");
    container.resources.pids_max = 10;
    cr_expect_neq(container_run(&container, output, sizeof(output)), 0);
    cr_expect_null(strstr(output, "unbounded"), "%s", output);
}

Test(confinement, memory_is_bounded_and_an_oom_kill_is_told)
{
    struct container container;
    struct bh_error error;
    Bulkhead__ContainerFound found;
    container_init(&container, "exec dd if=/dev/zero of=/dev/null bs=200M count=1");
    container.resources.memory_bytes = 16 << 20;
    container.resources.memory_swap_bytes = 16 << 20;
    cr_assert_eq(container_start(&container), 0, "%s", container.error.message);
    cr_expect_eq(container_wait(&container), 137);
    cr_assert_eq(ask_inspect(&container, &found, &error), 0, "%s", error.message);
    cr_expect(found.oom_killed, "nobody said that memory ran out");
    container_remove(&container);
}

Test(confinement, devices)
{
    cr_expect_eq(run("head -c 4 /dev/zero | wc -c; echo x > /dev/null; head -c 4 /dev/urandom | wc -c; "
                     "ls -l /dev | grep -c ^c; readlink /dev/fd; readlink /dev/ptmx; : > /dev/shm/x && echo shm; "
                     "echo x 2>/dev/null > /dev/full || echo full",
                     output, sizeof(output)),
                 0);
    cr_expect_str_eq(output, "4\n4\n6\n/proc/self/fd\npts/ptmx\nshm\nfull\n");
}

Test(confinement, files_of_etc)
{
    struct container container;
    char *hosts[] = {"db:10.1.2.3"}, *servers[] = {"9.9.9.9"}, *search[] = {"example.org"};
    container_init(&container, "cat /etc/hostname /etc/resolv.conf; grep db /etc/hosts; grep -c localhost /etc/hosts; "
                               "echo 1.2.3.4 own >> /etc/hosts && grep -c own /etc/hosts");
    container.spec.extra_hosts = hosts;
    container.spec.n_extra_hosts = 1;
    container.spec.dns_servers = servers;
    container.spec.n_dns_servers = 1;
    container.spec.dns_search = search;
    container.spec.n_dns_search = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "stage\nnameserver 9.9.9.9\nsearch example.org\n10.1.2.3\tdb\n2\n1\n");
}

Test(confinement, sysctls)
{
    struct container container;
    Bulkhead__KeyValue port = BULKHEAD__KEY_VALUE__INIT, *sysctls[] = {&port};
    port.key = "net.ipv4.ip_unprivileged_port_start";
    port.value = "80";
    container_init(&container, "cat /proc/sys/net/ipv4/ip_unprivileged_port_start");
    container.spec.sysctls = sysctls;
    container.spec.n_sysctls = 1;
    cr_expect_eq(container_run(&container, output, sizeof(output)), 0, "%s", container.error.message);
    cr_expect_str_eq(output, "80\n");
}
