/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiling filters; see seccomp.h. In front of what libseccomp makes stands a short program of ours for system calls
 * that are younger than the library: those of the profile are allowed, those nobody knew yet answer ENOSYS, so that
 * programs fall back to what they did before (with EPERM they would give up).
 */
#include "container_seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/monitor_syscalls.h"

#define PROGRAM_BYTES_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define NEWEST_KNOWN      466        /* removexattrat: the last one the default profile speaks of */
#define X32_BIT           0x40000000 /* x32 numbers are x86-64's with this bit */

static void release(scmp_filter_ctx *filter)
{
    if (*filter) {
        seccomp_release(*filter);
    }
}
#define autofilter __attribute__((cleanup(release))) scmp_filter_ctx

/* ---- system calls younger than the library --------------------------------------------------------------- */

/* From 424 on a system call has the same number everywhere. */
static const struct {
    const char *name;
    unsigned int number;
} young[] = {
    {"futex_waitv", 449}, {"cachestat", 451},     {"fchmodat2", 452},   {"map_shadow_stack", 453}, {"futex_wake", 454},
    {"futex_wait", 455},  {"futex_requeue", 456}, {"statmount", 457},   {"listmount", 458},        {"mseal", 462},
    {"setxattrat", 463},  {"getxattrat", 464},    {"listxattrat", 465}, {"removexattrat", 466},
};

#define YOUNG (sizeof(young) / sizeof(young[0]))

/* Allows those the library cannot name; everything beyond NEWEST_KNOWN answers ENOSYS; the rest falls through. */
static size_t make_preface(struct sock_filter preface[static YOUNG * 2 + 8])
{
    size_t n = 0;
    preface[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    preface[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~(unsigned int)X32_BIT);
    for (size_t i = 0; i < YOUNG; i++) {
        if (seccomp_syscall_resolve_name(young[i].name) == __NR_SCMP_ERROR) {
            preface[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, young[i].number, 0, 1);
            preface[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        }
    }
#ifdef __x86_64__
    preface[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 512 + 100, 1, 0); /* 512..: x32's own */
    preface[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 512, 2, 0);
#endif
    preface[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_KNOWN, 0, 1);
    preface[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    return n;
}

/* ---- out of the library --------------------------------------------------------------------------------- */

static int export(scmp_filter_ctx filter, bool with_preface, struct seccomp_program *ret_program,
                  struct bh_error *error)
{
    bh_autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
    int result = fd < 0 ? -errno : seccomp_export_bpf(filter, fd);
    struct stat status;
    if (result < 0 || fstat(fd, &status) < 0) {
        return bh_error_errno(error, result < 0 ? -result : errno, "compile a seccomp filter");
    }
    struct sock_filter preface[YOUNG * 2 + 8];
    size_t n_preface = with_preface ? make_preface(preface) : 0, bytes = (size_t)status.st_size, got = 0;
    if (bytes == 0 || bytes % sizeof(struct sock_filter) || bytes + sizeof(preface) > PROGRAM_BYTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the seccomp filter has more than %d instructions",
                            BPF_MAXINSNS);
    }
    struct sock_filter *instructions = malloc(sizeof(preface) + bytes);
    if (!instructions || lseek(fd, 0, SEEK_SET) < 0 ||
        bh_read_full(fd, instructions + n_preface, bytes, &got, "a seccomp filter", error) < 0 || got != bytes) {
        free(instructions);
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "take over a seccomp filter");
    }
    memcpy(instructions, preface, n_preface * sizeof(preface[0]));
    *ret_program = (struct seccomp_program){instructions, n_preface + bytes / sizeof(struct sock_filter)};
    return 0;
}

static int start_filter(uint32_t default_action, bool with_sub_architectures, scmp_filter_ctx *ret_filter,
                        struct bh_error *error)
{
    *ret_filter = seccomp_init(default_action);
    if (!*ret_filter) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "start a seccomp filter");
    }
    (void)seccomp_attr_set(*ret_filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    (void)seccomp_attr_set(*ret_filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    int result = 0;
    if (with_sub_architectures) {
#ifdef __x86_64__
        result = seccomp_arch_add(*ret_filter, SCMP_ARCH_X86);
        result = result < 0 ? result : seccomp_arch_add(*ret_filter, SCMP_ARCH_X32);
#elif defined(__aarch64__)
        result = seccomp_arch_add(*ret_filter, SCMP_ARCH_ARM);
#endif
    }
    return result < 0 ? bh_error_errno(error, -result, "add an architecture to a seccomp filter") : 0;
}

static int add_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int n_arguments,
                    const struct scmp_arg_cmp *arguments, struct bh_error *error)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) {
        return 0; /* of another architecture, or younger than the library: see make_preface() */
    }
    int result = seccomp_rule_add_array(filter, action, number, n_arguments, arguments);
    /* EACCES: the rule says what the default says anyway. EDOM: not on this architecture. */
    return result < 0 && result != -EEXIST && result != -EACCES && result != -EDOM
               ? bh_error_errno(error, -result, "seccomp rule for \"%s\"", name)
               : 0;
}

/* ---- Docker's default profile ---------------------------------------------------------------------------- */

static uint64_t relevant_capabilities(uint64_t capabilities)
{
    uint64_t mask = 0;
    for (const struct seccomp_capability_rule *rule = seccomp_default_capabilities; rule->capability; rule++) {
        mask |= rule->capability;
    }
    return capabilities & mask;
}

static struct scmp_arg_cmp comparison(const struct seccomp_argument_rule *rule)
{
    static const enum scmp_compare operators[] = {
        [SECCOMP_COMPARE_LT] = SCMP_CMP_LT,
        [SECCOMP_COMPARE_EQ] = SCMP_CMP_EQ,
        [SECCOMP_COMPARE_GT] = SCMP_CMP_GT,
        [SECCOMP_COMPARE_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
    };
    return (struct scmp_arg_cmp){
        .arg = rule->index, .op = operators[rule->compare], .datum_a = rule->value, .datum_b = rule->masked_value};
}

static int add_default_rules(scmp_filter_ctx filter, uint64_t capabilities, struct bh_error *error)
{
    for (const char *const *name = seccomp_default_always; *name; name++) {
        if (add_rule(filter, SCMP_ACT_ALLOW, *name, 0, NULL, error) < 0) {
            return -1;
        }
    }
    for (const struct seccomp_capability_rule *rule = seccomp_default_capabilities; rule->capability; rule++) {
        for (const char *const *name = rule->names; (capabilities & rule->capability) && *name; name++) {
            if (add_rule(filter, SCMP_ACT_ALLOW, *name, 0, NULL, error) < 0) {
                return -1;
            }
        }
    }
    for (const struct seccomp_argument_rule *rule = seccomp_default_arguments; rule->name; rule++) {
        struct scmp_arg_cmp argument = comparison(rule);
        if (!(capabilities & rule->unless_capability) &&
            add_rule(filter, SCMP_ACT_ALLOW, rule->name, 1, &argument, error) < 0) {
            return -1;
        }
    }
    /* clone3's flags lie in memory, where no filter can look: programs are told to use clone. */
    return capabilities & (1ULL << CAP_SYS_ADMIN) ? 0
                                                  : add_rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL, error);
}

static int compile_default(uint64_t capabilities, struct seccomp_program *ret_program, struct bh_error *error)
{
    autofilter filter = NULL;
    if (start_filter(SCMP_ACT_ERRNO(EPERM), true, &filter, error) < 0 ||
        add_default_rules(filter, capabilities, error) < 0) {
        return -1;
    }
    return export(filter, true, ret_program, error);
}

int seccomp_default_get(struct seccomp_cache *cache, uint64_t capabilities, const struct seccomp_program **ret_program,
                        struct bh_error *error)
{
    uint64_t relevant = relevant_capabilities(capabilities);
    for (size_t i = 0; i < cache->n; i++) {
        if (cache->entries[i].capabilities == relevant) {
            *ret_program = &cache->entries[i].program;
            return 0;
        }
    }
    struct seccomp_program program;
    if (compile_default(relevant, &program, error) < 0) {
        return -1;
    }
    size_t slot = cache->n;
    if (cache->n < SECCOMP_CACHE_MAX) {
        cache->n++;
    } else {
        slot = cache->next++ % SECCOMP_CACHE_MAX;
        seccomp_program_free(&cache->entries[slot].program);
    }
    cache->entries[slot].capabilities = relevant;
    cache->entries[slot].program = program;
    *ret_program = &cache->entries[slot].program;
    return 0;
}

/* ---- monitors ------------------------------------------------------------------------------------------- */

int seccomp_monitor_get(struct seccomp_cache *cache, const struct seccomp_program **ret_program, struct bh_error *error)
{
    if (!cache->monitor.instructions) {
        autofilter filter = NULL;
        if (start_filter(SCMP_ACT_KILL_PROCESS, false, &filter, error) < 0) {
            return -1;
        }
        for (const char *const *name = bh_monitor_syscalls; *name; name++) {
            if (add_rule(filter, SCMP_ACT_ALLOW, *name, 0, NULL, error) < 0) {
                return -1;
            }
        }
        for (size_t i = 0; bh_monitor_some_uses[i].name; i++) {
            const struct scmp_arg_cmp comparison = {.arg = bh_monitor_some_uses[i].argument,
                                                    .op = SCMP_CMP_MASKED_EQ,
                                                    .datum_a = bh_monitor_some_uses[i].mask,
                                                    .datum_b = bh_monitor_some_uses[i].value};
            if (add_rule(filter, SCMP_ACT_ALLOW, bh_monitor_some_uses[i].name, 1, &comparison, error) < 0) {
                return -1;
            }
        }
        if (export(filter, false, &cache->monitor, error) < 0) {
            return -1;
        }
    }
    *ret_program = &cache->monitor;
    return 0;
}

/* ---- a user's profile ------------------------------------------------------------------------------------ */

static int to_action(Bulkhead__SeccompAction action, uint32_t error_number, uint32_t *ret_action,
                     struct bh_error *error)
{
    switch (action) {
    case BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ALLOW:
        *ret_action = SCMP_ACT_ALLOW;
        return 0;
    case BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_ERRNO:
        *ret_action = SCMP_ACT_ERRNO(error_number);
        return error_number < 4096 ? 0
                                   : bh_error_set(error, BH_INVALID_ARGUMENT, "seccomp errno %u is none", error_number);
    case BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_PROCESS:
        *ret_action = SCMP_ACT_KILL_PROCESS;
        return 0;
    case BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_KILL_THREAD:
        *ret_action = SCMP_ACT_KILL_THREAD;
        return 0;
    case BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_TRAP:
        *ret_action = SCMP_ACT_TRAP;
        return 0;
    case BULKHEAD__SECCOMP_ACTION__SECCOMP_ACTION_LOG:
        *ret_action = SCMP_ACT_LOG;
        return 0;
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "seccomp action %d is unknown", (int)action);
    }
}

static int to_comparison(const Bulkhead__SeccompArgument *argument, struct scmp_arg_cmp *ret_comparison,
                         struct bh_error *error)
{
    static const enum scmp_compare operators[] = {0,           SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,
                                                  SCMP_CMP_EQ, SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
    unsigned int operator=(unsigned int) argument->operator_;
    if (argument->index > 5 || operator== 0 || operator>= sizeof(operators) / sizeof(operators[0])) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "seccomp argument %u with operator %u is none",
                            argument->index, operator);
    }
    *ret_comparison = (struct scmp_arg_cmp){
        .arg = argument->index, .op = operators[operator], .datum_a = argument->value, .datum_b = argument->value_two};
    return 0;
}

static int add_user_rule(scmp_filter_ctx filter, const Bulkhead__SeccompRule *rule, struct bh_error *error)
{
    struct scmp_arg_cmp arguments[6];
    uint32_t action;
    if (rule->n_arguments > 6 || to_action(rule->action, rule->errno_value, &action, error) < 0) {
        return rule->n_arguments > 6 ? bh_error_set(error, BH_INVALID_ARGUMENT, "a system call has 6 arguments at most")
                                     : -1;
    }
    for (size_t i = 0; i < rule->n_arguments; i++) {
        if (to_comparison(rule->arguments[i], &arguments[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < rule->n_names; i++) {
        if (add_rule(filter, action, rule->names[i], (unsigned int)rule->n_arguments, arguments, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int seccomp_compile_profile(const Bulkhead__SeccompProfile *profile, uint64_t capabilities,
                            struct seccomp_program *ret_program, struct bh_error *error)
{
    autofilter filter = NULL;
    uint32_t action;
    if (to_action(profile->default_action, profile->default_errno, &action, error) < 0 ||
        start_filter(action, true, &filter, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < profile->n_rules; i++) {
        const Bulkhead__SeccompRule *rule = profile->rules[i];
        bool applies = (capabilities & rule->include_capabilities) == rule->include_capabilities &&
                       !(capabilities & rule->exclude_capabilities);
        if (applies && add_user_rule(filter, rule, error) < 0) {
            return -1;
        }
    }
    return export(filter, false, ret_program, error);
}

void seccomp_program_free(struct seccomp_program *program)
{
    free(program->instructions);
    *program = (struct seccomp_program){0};
}

void seccomp_cache_free(struct seccomp_cache *cache)
{
    while (cache->n > 0) {
        seccomp_program_free(&cache->entries[--cache->n].program);
    }
    seccomp_program_free(&cache->monitor);
}
