/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container's filter answers, found out by running its instructions here.
 */
/* Messages in tests point at literals. */
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types-discards-qualifiers"
#else
#pragma GCC diagnostic ignored "-Wdiscarded-qualifiers"
#endif

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "container_seccomp.h"

#define DOCKERS 0xa80425fbULL
#define ADMIN   (1ULL << CAP_SYS_ADMIN)
#define BLOCKED (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT  (SECCOMP_RET_ERRNO | ENOSYS)

#ifdef __x86_64__
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static struct seccomp_cache cache;
static struct bh_error error;

static void tear_down(void)
{
    seccomp_cache_free(&cache);
}

TestSuite(seccomp, .fini = tear_down);

static uint32_t jump(const struct sock_filter *instruction, uint32_t accumulator)
{
    bool taken = true;
    switch (BPF_OP(instruction->code)) {
    case BPF_JA:
        return instruction->k;
    case BPF_JEQ:
        taken = accumulator == instruction->k;
        break;
    case BPF_JGT:
        taken = accumulator > instruction->k;
        break;
    case BPF_JGE:
        taken = accumulator >= instruction->k;
        break;
    default:
        taken = (accumulator & instruction->k) != 0;
    }
    return taken ? instruction->jt : instruction->jf;
}

/* Interprets what filters consist of: loads from seccomp_data, masks, jumps, returns. */
static uint32_t ask(const struct seccomp_program *program, uint32_t arch, int nr, uint64_t first, uint64_t second)
{
    const struct seccomp_data data = {.nr = nr, .arch = arch, .args = {first, second}};
    uint32_t accumulator = 0;
    for (size_t i = 0; i < program->n; i++) {
        const struct sock_filter *instruction = &program->instructions[i];
        switch (BPF_CLASS(instruction->code)) {
        case BPF_LD:
            memcpy(&accumulator, (const char *)&data + instruction->k, sizeof(accumulator));
            break;
        case BPF_ALU:
            accumulator &= instruction->k;
            break;
        case BPF_JMP:
            i += jump(instruction, accumulator);
            break;
        case BPF_RET:
            return instruction->k;
        default:
            cr_assert_fail("instruction %#x", instruction->code);
        }
    }
    cr_assert_fail("the filter ends without an answer");
    return SECCOMP_RET_KILL_PROCESS;
}

static const struct seccomp_program *get(uint64_t capabilities)
{
    const struct seccomp_program *program = NULL;
    cr_assert_eq(seccomp_default_get(&cache, capabilities, &program, &error), 0, "%s", error.message);
    return program;
}

Test(seccomp, ordinary_calls_pass)
{
    const struct seccomp_program *program = get(DOCKERS);
    static const int calls[] = {SYS_read,  SYS_write, SYS_openat, SYS_execve, SYS_mmap,
                                SYS_futex, SYS_wait4, SYS_capset, SYS_ptrace, SYS_close_range};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        cr_expect_eq(ask(program, NATIVE, calls[i], 0, 0), SECCOMP_RET_ALLOW, "call %d", calls[i]);
    }
}

Test(seccomp, privileged_calls_do_not)
{
    const struct seccomp_program *program = get(DOCKERS);
    static const int calls[] = {
        SYS_mount,       SYS_umount2,         SYS_unshare,           SYS_setns,         SYS_bpf,    SYS_reboot,
        SYS_swapon,      SYS_init_module,     SYS_kexec_load,        SYS_fsopen,        SYS_keyctl, SYS_add_key,
        SYS_userfaultfd, SYS_perf_event_open, SYS_open_by_handle_at, SYS_io_uring_setup};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        cr_expect_eq(ask(program, NATIVE, calls[i], 0, 0), BLOCKED, "call %d", calls[i]);
    }
}

Test(seccomp, capabilities_open_what_belongs_to_them)
{
    cr_expect_eq(ask(get(DOCKERS | ADMIN), NATIVE, SYS_mount, 0, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(ask(get(DOCKERS | ADMIN), NATIVE, SYS_clone3, 0, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(ask(get(DOCKERS | 1ULL << CAP_SYS_BOOT), NATIVE, SYS_reboot, 0, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(ask(get(DOCKERS | 1ULL << CAP_SYS_BOOT), NATIVE, SYS_mount, 0, 0), BLOCKED);
    cr_expect_eq(ask(get(DOCKERS & ~(1ULL << CAP_SYS_CHROOT)), NATIVE, SYS_chroot, 0, 0), BLOCKED);
    cr_expect_eq(ask(get(DOCKERS), NATIVE, SYS_chroot, 0, 0), SECCOMP_RET_ALLOW);
}

Test(seccomp, arguments)
{
    const struct seccomp_program *program = get(DOCKERS);
    cr_expect_eq(ask(program, NATIVE, SYS_clone, SIGCHLD, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(ask(program, NATIVE, SYS_clone, SIGCHLD | CLONE_NEWUSER, 0), BLOCKED);
    cr_expect_eq(ask(program, NATIVE, SYS_clone, CLONE_NEWNS, 0), BLOCKED);
    cr_expect_eq(ask(program, NATIVE, SYS_clone3, 0, 0), ABSENT, "so that programs use clone");
    cr_expect_eq(ask(program, NATIVE, SYS_socket, AF_INET, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(ask(program, NATIVE, SYS_socket, AF_ALG, 0), BLOCKED);
    cr_expect_eq(ask(program, NATIVE, SYS_socket, AF_VSOCK, 0), BLOCKED);
    cr_expect_eq(ask(program, NATIVE, SYS_personality, 0, 0), SECCOMP_RET_ALLOW);
    cr_expect_eq(ask(program, NATIVE, SYS_personality, 0x40000, 0), BLOCKED, "no ADDR_NO_RANDOMIZE");
}

Test(seccomp, what_nobody_knew_yet_is_absent_not_forbidden)
{
    const struct seccomp_program *program = get(DOCKERS);
    cr_expect_eq(ask(program, NATIVE, 452, 0, 0), SECCOMP_RET_ALLOW, "fchmodat2");
    cr_expect_eq(ask(program, NATIVE, 462, 0, 0), SECCOMP_RET_ALLOW, "mseal");
    cr_expect_eq(ask(program, NATIVE, 500, 0, 0), ABSENT);
    cr_expect_eq(ask(program, NATIVE, 100000, 0, 0), ABSENT);
}

#ifdef __x86_64__
Test(seccomp, other_architectures)
{
    const struct seccomp_program *program = get(DOCKERS);
    cr_expect_eq(ask(program, AUDIT_ARCH_I386, 4, 0, 0), SECCOMP_RET_ALLOW, "write of i386");
    cr_expect_eq(ask(program, AUDIT_ARCH_I386, 21, 0, 0), BLOCKED, "mount of i386");
    cr_expect_eq(ask(program, AUDIT_ARCH_X86_64, 0x40000000 | SYS_write, 0, 0), SECCOMP_RET_ALLOW, "x32");
    cr_expect_eq(ask(program, AUDIT_ARCH_X86_64, 0x40000000 | SYS_mount, 0, 0), BLOCKED, "mount of x32");
    cr_expect_eq(ask(program, AUDIT_ARCH_AARCH64, SYS_write, 0, 0), SECCOMP_RET_KILL_PROCESS);
}
#endif

Test(seccomp, compiled_once)
{
    const struct seccomp_program *first = get(DOCKERS);
    cr_expect_eq(first, get(DOCKERS));
    cr_expect_eq(first, get(DOCKERS ^ (1ULL << CAP_CHOWN)), "CAP_CHOWN does not matter to the profile");
    for (uint64_t i = 0; i < 3 * SECCOMP_CACHE_MAX; i++) {
        uint64_t some = ((i & 1) ? ADMIN : 0) | ((i & 2) ? 1ULL << CAP_SYS_BOOT : 0) |
                        ((i & 4) ? 1ULL << CAP_SYS_TIME : 0) | ((i & 8) ? 1ULL << CAP_SYS_NICE : 0) |
                        ((i & 16) ? 1ULL << CAP_BPF : 0);
        cr_expect_eq(ask(get(some), NATIVE, SYS_mount, 0, 0), some & ADMIN ? SECCOMP_RET_ALLOW : BLOCKED);
    }
}

Test(seccomp, monitors_may_do_little)
{
    const struct seccomp_program *program = NULL;
    cr_assert_eq(seccomp_monitor_get(&cache, &program, &error), 0, "%s", error.message);
    static const int calls[] = {SYS_socket, SYS_execve, SYS_clone, SYS_kill, SYS_ptrace, SYS_mount, SYS_connect};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        cr_expect_eq(ask(program, NATIVE, calls[i], 0, 0), SECCOMP_RET_KILL_PROCESS, "call %d", calls[i]);
    }
    cr_expect_eq(ask(program, NATIVE, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
}

/* ---- a user's profile ------------------------------------------------------------------------------------- */

Test(seccomp, a_users_profile)
{
    struct seccomp_program program = {0};
    char *names[] = {"mkdir", "mkdirat", "no_such_call"}, *conditional[] = {"mount"};
    Bulkhead__SeccompRule rule = BULKHEAD__SECCOMP_RULE__INIT, with = BULKHEAD__SECCOMP_RULE__INIT,
                          *rules[] = {&rule, &with};
    Bulkhead__SeccompProfile profile = BULKHEAD__SECCOMP_PROFILE__INIT;
    rule.names = names;
    rule.n_names = 3;
    rule.action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO;
    rule.errno_value = EROFS;
    with.names = conditional;
    with.n_names = 1;
    with.action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_PROCESS;
    with.exclude_capabilities = ADMIN;
    profile.default_action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW;
    profile.rules = rules;
    profile.n_rules = 2;
    cr_assert_eq(seccomp_compile_profile(&profile, DOCKERS, &program, &error), 0, "%s", error.message);
    cr_expect_eq(ask(&program, NATIVE, SYS_mkdirat, 0, 0), SECCOMP_RET_ERRNO | EROFS);
    cr_expect_eq(ask(&program, NATIVE, SYS_mount, 0, 0), SECCOMP_RET_KILL_PROCESS);
    cr_expect_eq(ask(&program, NATIVE, SYS_read, 0, 0), SECCOMP_RET_ALLOW);
    seccomp_program_free(&program);
    cr_assert_eq(seccomp_compile_profile(&profile, ADMIN, &program, &error), 0);
    cr_expect_eq(ask(&program, NATIVE, SYS_mount, 0, 0), SECCOMP_RET_ALLOW);
    seccomp_program_free(&program);
}

Test(seccomp, every_action_is_what_it_says)
{
    static const struct {
        Bulkhead__SeccompAction action;
        uint32_t returned;
    } actions[] = {
        {BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_TRAP, SECCOMP_RET_TRAP},
        {BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_LOG, SECCOMP_RET_LOG},
        {BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_THREAD, SECCOMP_RET_KILL_THREAD},
    };
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        struct seccomp_program program = {0};
        Bulkhead__SeccompProfile profile = BULKHEAD__SECCOMP_PROFILE__INIT;
        profile.default_action = actions[i].action;
        cr_assert_eq(seccomp_compile_profile(&profile, 0, &program, &error), 0, "%s", error.message);
        cr_expect_eq(ask(&program, NATIVE, SYS_read, 0, 0), actions[i].returned, "action %zu", i);
        seccomp_program_free(&program);
    }
}

Test(seccomp, unknown_values_never_become_defaults)
{
    struct seccomp_program program = {0};
    char *names[] = {"read"};
    Bulkhead__SeccompArgument argument = BULKHEAD__SECCOMP_ARGUMENT__INIT, *arguments[] = {&argument};
    Bulkhead__SeccompRule rule = BULKHEAD__SECCOMP_RULE__INIT, *rules[] = {&rule};
    Bulkhead__SeccompProfile profile = BULKHEAD__SECCOMP_PROFILE__INIT;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1, "no default action");
    profile.default_action = (Bulkhead__SeccompAction)77;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1, "unknown default action");
    profile.default_action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW;
    profile.rules = rules;
    profile.n_rules = 1;
    rule.names = names;
    rule.n_names = 1;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1, "no action");
    rule.action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_THREAD;
    rule.arguments = arguments;
    rule.n_arguments = 1;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1, "no operator");
    argument.operator_ = BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_EQ;
    argument.index = 6;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1, "a seventh argument");
    argument.index = 5;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), 0, "%s", error.message);
    seccomp_program_free(&program);
}

/* What libseccomp cannot say is refused, with the call it is about. */
Test(seccomp, profiles_that_cannot_be_compiled)
{
    struct seccomp_program program = {0};
    char *names[] = {"read"};
    Bulkhead__SeccompArgument first = BULKHEAD__SECCOMP_ARGUMENT__INIT,
                              *twice[] = {&first, &first, &first, &first, &first, &first, &first};
    Bulkhead__SeccompRule rule = BULKHEAD__SECCOMP_RULE__INIT, *rules[] = {&rule};
    Bulkhead__SeccompProfile profile = BULKHEAD__SECCOMP_PROFILE__INIT;
    profile.default_action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW;
    profile.rules = rules;
    profile.n_rules = 1;
    rule.action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO;
    rule.names = names;
    rule.n_names = 1;
    first.operator_ = BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_EQ;
    rule.arguments = twice;
    rule.n_arguments = 2;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1, "one argument compared twice");
    cr_expect(strstr(error.message, "\"read\""), "%s", error.message);
    rule.n_arguments = 7;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1);
    cr_expect(strstr(error.message, "6 arguments at most"), "%s", error.message);
    rule.n_arguments = 0;
    rule.errno_value = 4096;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1);
    cr_expect(strstr(error.message, "errno 4096"), "%s", error.message);
}

Test(seccomp, a_profile_that_is_longer_than_the_kernel_takes, .timeout = 60)
{
    enum { RULES = 5000 };
    static Bulkhead__SeccompRule rules[RULES], *all[RULES];
    static Bulkhead__SeccompArgument values[RULES], *of_each[RULES];
    struct seccomp_program program = {0};
    char *names[] = {"read"};
    Bulkhead__SeccompProfile profile = BULKHEAD__SECCOMP_PROFILE__INIT;
    for (unsigned int i = 0; i < RULES; i++) {
        bulkhead__seccomp_argument__init(&values[i]);
        bulkhead__seccomp_rule__init(&rules[i]);
        values[i].operator_ = BULKHEAD__SECCOMP_OPERATOR__SECCOMP_OPERATOR_EQ;
        values[i].value = i;
        of_each[i] = &values[i];
        rules[i].names = names;
        rules[i].n_names = 1;
        rules[i].action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO;
        rules[i].arguments = &of_each[i];
        rules[i].n_arguments = 1;
        all[i] = &rules[i];
    }
    profile.default_action = BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW;
    profile.rules = all;
    profile.n_rules = RULES;
    cr_expect_eq(seccomp_compile_profile(&profile, 0, &program, &error), -1);
    cr_expect(strstr(error.message, "instructions"), "%s", error.message);
}

Test(seccomp, without_a_descriptor_left_nothing_is_cached)
{
    struct seccomp_cache none_yet = {0};
    const struct seccomp_program *program = NULL;
    struct rlimit before;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    int monitor = seccomp_monitor_get(&none_yet, &program, &error),
        container = seccomp_default_get(&none_yet, DOCKERS, &program, &error);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    cr_expect_eq(monitor, -1);
    cr_expect_eq(container, -1);
    cr_expect_eq(error.sys_errno, EMFILE, "%s", error.message);
    cr_expect_null(program);
    cr_assert_eq(seccomp_default_get(&none_yet, DOCKERS, &program, &error), 0, "%s", error.message);
    cr_assert_eq(seccomp_monitor_get(&none_yet, &program, &error), 0, "%s", error.message);
    seccomp_cache_free(&none_yet);
}
