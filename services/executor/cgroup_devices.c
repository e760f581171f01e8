/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's device list: nodes may be made, and null, zero, full, random, urandom, tty, console, ptmx and pts be used.
 * Nothing else opens but what policy allowed this container. On cgroup v2 the list is a small BPF program.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define ANY               SPEC_DEVICE_ANY
#define EVERYTHING        (SPEC_DEVICE_READ | SPEC_DEVICE_WRITE | SPEC_DEVICE_MAKE)
#define RULE_INSTRUCTIONS 8 /* the most one rule takes */

/* One instruction. */
#define LOAD(target, offset)                                                                                           \
    {                                                                                                                  \
        .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (target), .src_reg = BPF_REG_1,                                  \
        .off = (short)offsetof(struct bpf_cgroup_dev_ctx, offset)                                                      \
    }
#define MOVE(target, value)                                                                                            \
    {                                                                                                                  \
        .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (target), .imm = (value)                                       \
    }
#define RETURN                                                                                                         \
    {                                                                                                                  \
        .code = BPF_JMP | BPF_EXIT                                                                                     \
    }

const struct spec_device_rule cgroup_devices_default[CGROUP_DEVICES_DEFAULT] = {
    /* Making nodes is allowed, opening them is not: and in a user namespace neither works anyway. */
    {'c', ANY, ANY, SPEC_DEVICE_MAKE}, {'b', ANY, ANY, SPEC_DEVICE_MAKE}, {'c', 1, 3, EVERYTHING},
    {'c', 1, 5, EVERYTHING},           {'c', 1, 7, EVERYTHING},           {'c', 1, 8, EVERYTHING},
    {'c', 1, 9, EVERYTHING},           {'c', 5, 0, EVERYTHING},           {'c', 5, 1, EVERYTHING},
    {'c', 5, 2, EVERYTHING},           {'c', 136, ANY, EVERYTHING},
};

/* Appends "if register != value, skip `over` instructions". */
static void skip_unless(struct bpf_insn *program, size_t *n, unsigned char source, int value, short over)
{
    program[(*n)++] = (struct bpf_insn){
        .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (unsigned char)(source & 0xf), .off = over, .imm = value};
}

static int kernel_access(unsigned int access)
{
    return (access & SPEC_DEVICE_READ ? BPF_DEVCG_ACC_READ : 0) |
           (access & SPEC_DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0) |
           (access & SPEC_DEVICE_MAKE ? BPF_DEVCG_ACC_MKNOD : 0);
}

/* One rule: whoever fits in every part is let through, everybody else goes on behind it. */
static void add_rule(struct bpf_insn *program, size_t *n, const struct spec_device_rule *rule)
{
    const struct bpf_insn ask[] = {
        /* r1 = access that the rule does not give */
        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_3},
        {.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_1, .imm = ~kernel_access(rule->access)},
    };
    short rest = (short)((rule->kind != 'a') + (rule->major != ANY) + (rule->minor != ANY) + 2); /* what follows */
    memcpy(&program[*n], ask, sizeof(ask));
    *n += sizeof(ask) / sizeof(ask[0]);
    skip_unless(program, n, BPF_REG_1, 0, rest--);
    if (rule->kind != 'a') {
        skip_unless(program, n, BPF_REG_2, rule->kind == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, rest--);
    }
    if (rule->major != ANY) {
        skip_unless(program, n, BPF_REG_4, rule->major, rest--);
    }
    if (rule->minor != ANY) {
        skip_unless(program, n, BPF_REG_5, rule->minor, rest--);
    }
    program[(*n)++] = (struct bpf_insn)MOVE(BPF_REG_0, 1);
    program[(*n)++] = (struct bpf_insn)RETURN;
}

size_t cgroup_devices_program(const struct cgroup_devices *devices, struct bpf_insn *program)
{
    static const struct bpf_insn head[] = {
        LOAD(BPF_REG_2, access_type),
        LOAD(BPF_REG_4, major),
        LOAD(BPF_REG_5, minor),
        /* r3 = access, r2 = type */
        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_2},
        {.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_3, .imm = 16},
        {.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_2, .imm = 0xffff},
    };
    size_t n = sizeof(head) / sizeof(head[0]);
    memcpy(program, head, sizeof(head));
    for (size_t i = 0; i < CGROUP_DEVICES_DEFAULT; i++) {
        add_rule(program, &n, &cgroup_devices_default[i]);
    }
    for (size_t i = 0; i < devices->n && n + RULE_INSTRUCTIONS + 2 <= CGROUP_PROGRAM_MAX; i++) {
        add_rule(program, &n, &devices->rules[i]);
    }
    program[n++] = (struct bpf_insn)MOVE(BPF_REG_0, 0);
    program[n++] = (struct bpf_insn)RETURN;
    return n;
}

int cgroup_attach_devices(int folder, const struct cgroup_devices *devices, struct bh_error *error)
{
    bh_autofree struct bpf_insn *program = calloc(CGROUP_PROGRAM_MAX, sizeof(*program));
    if (!program) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for the device list");
    }
    union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE};
    load.insn_cnt = (uint32_t)cgroup_devices_program(devices, program);
    load.insns = (uint64_t)(uintptr_t)program;
    load.license = (uint64_t)(uintptr_t) "Apache-2.0";
    bh_autoclose int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
    if (fd < 0) {
        return bh_error_errno(error, errno, "load the device list");
    }
    bh_autoclose int cgroup = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    union bpf_attr attach = {.target_fd = (uint32_t)cgroup,
                             .attach_bpf_fd = (uint32_t)fd,
                             .attach_type = BPF_CGROUP_DEVICE,
                             .attach_flags = BPF_F_ALLOW_MULTI};
    if (cgroup < 0 || syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0) {
        return bh_error_errno(error, errno, "attach the device list to the cgroup");
    }
    return 0;
}

void cgroup_detach_devices(int folder)
{
    bh_autoclose int cgroup = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    union bpf_attr detach = {.target_fd = (uint32_t)cgroup, .attach_type = BPF_CGROUP_DEVICE};
    if (cgroup >= 0) {
        (void)syscall(SYS_bpf, BPF_PROG_DETACH, &detach, sizeof(detach)); /* there was none: as it should be */
    }
}
