/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's device list for cgroup v2, where it is a small BPF program on the cgroup that all containers share as
 * parent: nodes may be made, and null, zero, full, random, urandom, tty, console, ptmx and pts be used. Nothing else
 * opens.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"

#define ANY (-1)

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

static const struct {
    int major, minor;
} usable[] = {{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 1}, {5, 2}, {136, ANY}};

#define USABLE (sizeof(usable) / sizeof(usable[0]))

/* Appends "if register != value, skip `over` instructions". */
static void skip_unless(struct bpf_insn *program, size_t *n, unsigned char source, int value, short over)
{
    program[(*n)++] = (struct bpf_insn){
        .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = (unsigned char)(source & 0xf), .off = over, .imm = value};
}

static size_t make_program(struct bpf_insn program[static 64])
{
    size_t n = 0;
    const struct bpf_insn head[] = {
        LOAD(BPF_REG_2, access_type),
        LOAD(BPF_REG_4, major),
        LOAD(BPF_REG_5, minor),
        /* r3 = access, r2 = type */
        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_3, .src_reg = BPF_REG_2},
        {.code = BPF_ALU64 | BPF_RSH | BPF_K, .dst_reg = BPF_REG_3, .imm = 16},
        {.code = BPF_ALU64 | BPF_AND | BPF_K, .dst_reg = BPF_REG_2, .imm = 0xffff},
        MOVE(BPF_REG_0, 1),
    };
    memcpy(program, head, sizeof(head));
    n = sizeof(head) / sizeof(head[0]);
    skip_unless(program, &n, BPF_REG_3, BPF_DEVCG_ACC_MKNOD, 1);
    program[n++] = (struct bpf_insn)RETURN; /* only mknod */
    skip_unless(program, &n, BPF_REG_2, BPF_DEVCG_DEV_CHAR, (short)(3 * USABLE - 1));
    for (size_t i = 0; i < USABLE; i++) {
        bool any = usable[i].minor == ANY;
        skip_unless(program, &n, BPF_REG_4, usable[i].major, any ? 1 : 2);
        if (!any) {
            skip_unless(program, &n, BPF_REG_5, usable[i].minor, 1);
        }
        program[n++] = (struct bpf_insn)RETURN;
    }
    program[n++] = (struct bpf_insn)MOVE(BPF_REG_0, 0);
    program[n++] = (struct bpf_insn)RETURN;
    return n;
}

int cgroup_attach_devices(int folder, struct bh_error *error)
{
    struct bpf_insn program[64];
    union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE};
    load.insn_cnt = (uint32_t)make_program(program);
    load.insns = (uint64_t)(uintptr_t)program;
    load.license = (uint64_t)(uintptr_t) "Apache-2.0";
    bh_autoclose int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
    if (fd < 0) {
        return bh_error_errno(error, errno, "load the device list");
    }
    bh_autoclose int cgroup = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    union bpf_attr attach = {
        .target_fd = (uint32_t)cgroup, .attach_bpf_fd = (uint32_t)fd, .attach_type = BPF_CGROUP_DEVICE};
    if (cgroup < 0 || syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0) {
        return bh_error_errno(error, errno, "attach the device list to the cgroup");
    }
    return 0;
}
