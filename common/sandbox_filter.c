/* SPDX-License-Identifier: Apache-2.0
 *
 * The seccomp side of sandboxes; see sandbox_filter.h. An allow-list made with libseccomp.
 */
#include "common/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCK_TYPE_MASK 0xfU /* the rest are flags */
#define CLONE_NEW_ANY                                                                                                  \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

/* More than any processor's highest number. */
#define SYSCALLS_MAX 1024

struct filter {
    scmp_filter_ctx context;
    bool allowed[SYSCALLS_MAX]; /* by number: at least some use of it */
};

static void cleanup_filter(struct filter *filter)
{
    if (filter->context) {
        seccomp_release(filter->context);
    }
}

static int allow_some(struct filter *filter, int number, unsigned int n_comparisons,
                      const struct scmp_arg_cmp *comparisons, struct bh_error *error)
{
    if (number < 0 || number >= SYSCALLS_MAX) {
        return bh_error_set(error, BH_INTERNAL, "allow system call %d: not one of this processor", number);
    }
    int result = seccomp_rule_add_array(filter->context, SCMP_ACT_ALLOW, number, n_comparisons, comparisons);
    if (result < 0 && result != -EEXIST) {
        return bh_error_errno(error, -result, "allow system call %d", number);
    }
    filter->allowed[number] = true;
    return 0;
}

/* Calls that send, and which argument their flags are. With MSG_FASTOPEN they connect, without connect(): a socket of
 * somebody else's making, whose connection has ended, could so be led to any address. */
static const struct {
    const char *name;
    unsigned int flags;
} senders[] = {{"sendto", 3}, {"sendmsg", 2}, {"sendmmsg", 3}};

static int allow(struct filter *filter, const char *name, struct bh_error *error)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) {
        return 0; /* not a system call of this processor */
    }
    struct scmp_arg_cmp connects_not = {0};
    unsigned int n_comparisons = 0;
    for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++) {
        if (strcmp(name, senders[i].name) == 0) {
            connects_not = SCMP_CMP64(senders[i].flags, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0);
            n_comparisons = 1;
        }
    }
    return allow_some(filter, number, n_comparisons, &connects_not, error) < 0 ? bh_error_wrap(error, "%s", name) : 0;
}

static int allow_if(struct filter *filter, int number, struct scmp_arg_cmp comparison, struct bh_error *error)
{
    return allow_some(filter, number, 1, &comparison, error);
}

/* Netlink speaks to many parts of the kernel: these two only. */
static int allow_netlink(struct filter *filter, struct bh_error *error)
{
    static const unsigned int protocols[] = {NETLINK_ROUTE, NETLINK_NETFILTER};
    for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
        const struct scmp_arg_cmp comparisons[] = {SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                                                   SCMP_A2_32(SCMP_CMP_EQ, protocols[i])};
        if (allow_some(filter, SCMP_SYS(socket), 2, comparisons, error) < 0) {
            return bh_error_wrap(error, "netlink of protocol %u", protocols[i]);
        }
    }
    return 0;
}

static int allow_each(struct filter *filter, int number, unsigned int argument, const unsigned int *values,
                      size_t n_values, struct bh_error *error)
{
    for (size_t i = 0; i < n_values; i++) {
        if (allow_if(filter, number, SCMP_CMP32(argument, SCMP_CMP_EQ, values[i]), error) < 0) {
            return -1;
        }
    }
    return 0;
}

#define ALLOW_EACH(filter, number, argument, values, error)                                                            \
    allow_each(filter, number, argument, values, sizeof(values) / sizeof((values)[0]), error)

/* Nothing of itself but: no memory becomes executable any more, and only its own threads and limits are meant. Workers
 * share their service's uid, so the kernel alone would let one end the others. */
static int allow_base(struct filter *filter, struct bh_error *error)
{
    static const unsigned int harmless_prctl[] = {PR_SET_NAME,     PR_GET_NAME,         PR_SET_PDEATHSIG,
                                                  PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,
                                                  PR_CAPBSET_READ, PR_SET_VMA};
    const struct scmp_arg_cmp not_executable = SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    return ALLOW_EACH(filter, SCMP_SYS(prctl), 0, harmless_prctl, error) < 0 ||
                   allow_if(filter, SCMP_SYS(mmap), not_executable, error) < 0 ||
                   allow_if(filter, SCMP_SYS(mprotect), not_executable, error) < 0 ||
                   allow_if(filter, SCMP_SYS(tgkill), SCMP_A0_32(SCMP_CMP_EQ, (unsigned int)getpid()), error) < 0 ||
                   allow_if(filter, SCMP_SYS(prlimit64), SCMP_A0_32(SCMP_CMP_EQ, 0), error) < 0
               ? -1
               : 0;
}

static int allow_io(struct filter *filter, struct bh_error *error)
{
    static const unsigned int harmless_ioctl[] = {FIONREAD, FIONBIO, TCGETS};
    /* not F_SETOWN and F_SETSIG: through those the kernel sends signals, SIGKILL among them */
    static const unsigned int harmless_fcntl[] = {F_DUPFD,      F_DUPFD_CLOEXEC, F_GETFD,    F_SETFD,    F_GETFL,
                                                  F_SETFL,      F_GETLK,         F_SETLK,    F_SETLKW,   F_OFD_GETLK,
                                                  F_OFD_SETLK,  F_OFD_SETLKW,    F_SETLEASE, F_GETLEASE, F_SETPIPE_SZ,
                                                  F_GETPIPE_SZ, F_ADD_SEALS,     F_GET_SEALS};
    /* and what glibc's fstat() calls. A path in it no filter can see: it leads where the process's root does, which is
     * empty */
    return ALLOW_EACH(filter, SCMP_SYS(ioctl), 1, harmless_ioctl, error) < 0 ||
                   ALLOW_EACH(filter, SCMP_SYS(fcntl), 1, harmless_fcntl, error) < 0 ||
                   allow_if(filter, SCMP_SYS(newfstatat), SCMP_A3_32(SCMP_CMP_EQ, AT_EMPTY_PATH), error) < 0
               ? -1
               : 0;
}

/* Sequenced packets only: they know no receiver but the other end. A datagram socket of a pair could be told another
 * one, by name, in whatever network namespace it is in. */
static int allow_pairs(struct filter *filter, struct bh_error *error)
{
    const struct scmp_arg_cmp comparisons[] = {SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX),
                                               SCMP_A1_32(SCMP_CMP_MASKED_EQ, SOCK_TYPE_MASK, SOCK_SEQPACKET)};
    return allow_some(filter, SCMP_SYS(socketpair), 2, comparisons, error);
}

/* Calls of which only some uses are harmless. */
static int allow_with_arguments(struct filter *filter, enum bh_syscalls group, struct bh_error *error)
{
    static const unsigned int internet[] = {AF_INET, AF_INET6};
    switch (group) {
    case BH_SYS_BASE:
        return allow_base(filter, error);
    case BH_SYS_IO:
        return allow_io(filter, error);
    case BH_SYS_CHANNEL:
        return allow_pairs(filter, error);
    case BH_SYS_FORK_WORKER:
        return allow_if(filter, SCMP_SYS(clone), SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_NEW_ANY, 0), error);
    case BH_SYS_THREADS:
        return allow_if(filter, SCMP_SYS(clone),
                        SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_NEW_ANY | CLONE_THREAD, CLONE_THREAD), error);
    case BH_SYS_NETWORK:
        return ALLOW_EACH(filter, SCMP_SYS(socket), 0, internet, error);
    case BH_SYS_NETLINK:
        return allow_netlink(filter, error);
    default:
        return 0;
    }
}

static int add_rules(struct filter *filter, const enum bh_syscalls *groups, const char *const *also,
                     struct bh_error *error)
{
    bool everything = false;
    for (size_t i = 0; groups[i] != BH_SYS_END; i++) {
        everything = everything || groups[i] == BH_SYS_EXECUTOR;
        for (const char *const *name = bh_sandbox_group(groups[i]); *name; name++) {
            if (allow(filter, *name, error) < 0) {
                return -1;
            }
        }
    }
    for (size_t i = 0; i < 24 && also[i]; i++) {
        if (allow(filter, also[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; !everything && groups[i] != BH_SYS_END; i++) {
        if (allow_with_arguments(filter, groups[i], error) < 0) {
            return -1;
        }
    }
    if (!everything) {
        int result = seccomp_rule_add(filter->context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
        return result < 0 ? bh_error_errno(error, -result, "refuse clone3") : 0;
    }
    return 0;
}

static int make_filter(struct filter *filter, const enum bh_syscalls *groups, const char *const *also,
                       struct bh_error *error)
{
    filter->context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (!filter->context) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "start a seccomp filter");
    }
    (void)seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_NNP, 0); /* no_new_privs is the sandbox's own step */
    (void)seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    (void)seccomp_attr_set(filter->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    return add_rules(filter, groups, also, error);
}

int bh_sandbox_load_filter(const enum bh_syscalls *groups, const char *const *also, struct bh_error *error)
{
    __attribute__((cleanup(cleanup_filter))) struct filter filter = {0};
    if (make_filter(&filter, groups, also, error) < 0) {
        return -1;
    }
    int result = seccomp_load(filter.context);
    return result < 0 ? bh_error_errno(error, -result, "load a seccomp filter") : 0;
}

int bh_sandbox_count_syscalls(const enum bh_syscalls *groups, const char *const *also, size_t *ret_count,
                              struct bh_error *error)
{
    __attribute__((cleanup(cleanup_filter))) struct filter filter = {0};
    if (make_filter(&filter, groups, also, error) < 0) {
        return -1;
    }
    size_t count = 0;
    for (size_t i = 0; i < SYSCALLS_MAX; i++) {
        count += filter.allowed[i];
    }
    *ret_count = count;
    return 0;
}
