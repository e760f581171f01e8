/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits become settings, for both kinds of cgroups.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

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

Test(cgroup, swappiness_and_realtime)
{
    struct spec_resources resources = nothing;
    resources.memory_swappiness_set = true;
    resources.cpu_realtime_runtime_us = 950;
    n = cgroup_v1.settings(&resources, settings);
    cr_expect_str_eq(value_of("memory.swappiness"), "0", "which is not the same as not set");
    cr_expect_str_eq(value_of("cpu.rt_runtime_us"), "950");
}

Test(cgroup, no_limit_any_more)
{
    struct spec_resources resources = nothing;
    resources.pids_max = UINT64_MAX;
    resources.cpu_quota_us = UINT64_MAX;
    n = cgroup_v1.settings(&resources, settings);
    cr_expect_str_eq(value_of("pids.max"), "max");
    cr_expect_str_eq(value_of("cpu.cfs_quota_us"), "-1");
    n = cgroup_v2.settings(&resources, settings);
    cr_expect_str_eq(value_of("pids.max"), "max");
    cr_expect_str_eq(value_of("cpu.max"), "max 100000");
}

/* ---- the device list of cgroup v2: a small machine that runs the program ------------------------------------ */

static uint64_t run(const struct bpf_insn *program, size_t length, uint32_t type, uint32_t access, uint32_t major,
                    uint32_t minor)
{
    uint64_t r[11] = {0};
    const uint32_t context[3] = {type | access << 16, major, minor};
    for (size_t at = 0; at < length; at++) {
        const struct bpf_insn *step = &program[at];
        switch (step->code) {
        case BPF_LDX | BPF_MEM | BPF_W:
            r[step->dst_reg] = context[step->off / 4];
            break;
        case BPF_ALU64 | BPF_MOV | BPF_K:
            r[step->dst_reg] = (uint64_t)(int64_t)step->imm;
            break;
        case BPF_ALU64 | BPF_MOV | BPF_X:
            r[step->dst_reg] = r[step->src_reg];
            break;
        case BPF_ALU64 | BPF_RSH | BPF_K:
            r[step->dst_reg] >>= step->imm;
            break;
        case BPF_ALU64 | BPF_AND | BPF_K:
            r[step->dst_reg] &= (uint64_t)(int64_t)step->imm;
            break;
        case BPF_JMP | BPF_JNE | BPF_K:
            at += r[step->dst_reg] != (uint64_t)(int64_t)step->imm ? (size_t)step->off : 0;
            break;
        case BPF_JMP | BPF_EXIT:
            return r[0];
        default:
            cr_assert_fail("unknown instruction %#x", step->code);
        }
    }
    cr_assert_fail("the program does not end");
    return 0;
}

Test(cgroup, device_list_of_the_second_kind)
{
    static struct bpf_insn program[CGROUP_PROGRAM_MAX];
    static struct cgroup_devices devices;
    devices.rules[0] = (struct spec_device_rule){.kind = 'c', .major = 10, .minor = 229, .access = SPEC_DEVICE_READ};
    devices.rules[1] = (struct spec_device_rule){.kind = 'b', .major = 8, .minor = -1, .access = SPEC_DEVICE_WRITE};
    devices.n = 2;
    size_t length = cgroup_devices_program(&devices, program);
    const uint32_t character = BPF_DEVCG_DEV_CHAR, block = BPF_DEVCG_DEV_BLOCK, read = BPF_DEVCG_ACC_READ,
                   write = BPF_DEVCG_ACC_WRITE, make = BPF_DEVCG_ACC_MKNOD;
    cr_expect_eq(run(program, length, character, read | write, 1, 3), 1, "null");
    cr_expect_eq(run(program, length, character, read | write, 136, 77), 1, "a terminal");
    cr_expect_eq(run(program, length, character, make, 99, 99), 1, "any node may be made");
    cr_expect_eq(run(program, length, character, read, 1, 1), 0, "mem");
    cr_expect_eq(run(program, length, block, read, 1, 3), 0, "a block device with null's numbers");
    cr_expect_eq(run(program, length, character, read, 10, 229), 1);
    cr_expect_eq(run(program, length, character, write, 10, 229), 0, "more than was allowed");
    cr_expect_eq(run(program, length, character, read | make, 10, 229), 0, "each by another rule");
    cr_expect_eq(run(program, length, block, write, 8, 17), 1);
    cr_expect_eq(run(program, length, block, read, 8, 17), 0);
    devices.n = 0;
    length = cgroup_devices_program(&devices, program);
    cr_expect_eq(run(program, length, character, read, 10, 229), 0, "without a rule");
}

Test(cgroup, the_longest_device_list_fits)
{
    static struct bpf_insn program[CGROUP_PROGRAM_MAX];
    static struct cgroup_devices devices;
    for (devices.n = 0; devices.n < CGROUP_DEVICES_MAX; devices.n++) {
        devices.rules[devices.n] = (struct spec_device_rule){
            .kind = 'c', .major = 200, .minor = (int)devices.n, .access = SPEC_DEVICE_READ | SPEC_DEVICE_WRITE};
    }
    size_t length = cgroup_devices_program(&devices, program);
    cr_expect_leq(length, CGROUP_PROGRAM_MAX);
    cr_expect_eq(run(program, length, BPF_DEVCG_DEV_CHAR, BPF_DEVCG_ACC_READ, 200, CGROUP_DEVICES_MAX - 1), 1,
                 "the last one is not left out");
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
