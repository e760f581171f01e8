/* SPDX-License-Identifier: Apache-2.0
 *
 * System calls that act on the whole machine, or whose implementation is known for holes. Where a success would do
 * harm, an argument is wrong on purpose in a way that the kernel notices only after it has asked for the privilege:
 * that answer counts as success.
 */
#include "attempt.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

/* `wrong`: what a privileged caller would be told about the wrong argument. */
static int past_the_check(long result, int wrong)
{
    return result < 0 && errno != wrong ? errno : 0;
}

static int bpf_map(void)
{
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof(attributes));
    attributes.map_type = BPF_MAP_TYPE_ARRAY;
    attributes.key_size = attributes.value_size = 4;
    attributes.max_entries = 1;
    return fd_result((int)syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int perf(void)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_SOFTWARE, .size = sizeof(attributes), .config = PERF_COUNT_SW_CPU_CLOCK};
    return fd_result((int)syscall(SYS_perf_event_open, &attributes, -1, 0, -1, 0UL));
}

static int uring(void)
{
    uint64_t parameters[15] = {0}; /* struct io_uring_params */
    return fd_result((int)syscall(SYS_io_uring_setup, 1U, parameters));
}

static int load_module(void)
{
    return past_the_check(syscall(SYS_init_module, "", 0UL, ""), ENOEXEC);
}

static int load_module_file(void)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int result = past_the_check(syscall(SYS_finit_module, fd, "", 1 << 30), EINVAL);
    (void)close(fd);
    return result;
}

static int adjust_clock(void)
{
    struct timex clock = {0};
    if (adjtimex(&clock) < 0) {
        return errno;
    }
    clock.modes = ADJ_TICK;
    return result_of(adjtimex(&clock));
}

/* Of a file that the engine binds into the container from a file system of the host's. */
static int trim(void)
{
    int fd = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    int result = past_the_check(ioctl(fd, FITRIM, (void *)1), EFAULT);
    (void)close(fd);
    return result == EOPNOTSUPP ? 0 : result;
}

static int immutable(void)
{
    int fd = open("/tmp/escape-immutable", O_CREAT | O_RDWR | O_CLOEXEC, 0600), flags = 0, none = 0;
    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) {
        return errno;
    }
    flags |= FS_IMMUTABLE_FL;
    int result = result_of(ioctl(fd, FS_IOC_SETFLAGS, &flags));
    (void)ioctl(fd, FS_IOC_SETFLAGS, &none);
    (void)unlink("/tmp/escape-immutable");
    (void)close(fd);
    return result;
}

static int keyring(void)
{
    long key = syscall(SYS_add_key, "user", "escape", "x", 1UL, KEY_SPEC_PROCESS_KEYRING);
    return key < 0 ? errno : result_of(syscall(SYS_keyctl, KEYCTL_REVOKE, key));
}

static int realtime(void)
{
    struct sched_param priority = {.sched_priority = 99};
    return result_of(sched_setscheduler(0, SCHED_FIFO, &priority));
}

static int raise_limit(void)
{
    struct rlimit limit = {8, 8};
    if (setrlimit(RLIMIT_MSGQUEUE, &limit) < 0) {
        return errno;
    }
    limit.rlim_max = 9;
    return result_of(setrlimit(RLIMIT_MSGQUEUE, &limit));
}

/* NETLINK_AUDIT: a rule of the host's audit system. The message is too short for what it says, which root is told. */
static int audit(void)
{
    struct nlmsghdr message = {
        .nlmsg_len = sizeof(message), .nlmsg_type = 1000 /* AUDIT_GET */, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
    if (fd < 0) {
        return errno;
    }
    struct {
        struct nlmsghdr header;
        int error;
        char rest[512];
    } answer = {.error = 0};
    int result = result_of(sendto(fd, &message, sizeof(message), 0, (struct sockaddr *)&kernel, sizeof(kernel)));
    if (!result && recv(fd, &answer, sizeof(answer), 0) > 0 && answer.header.nlmsg_type == NLMSG_ERROR) {
        result = -answer.error;
    }
    (void)close(fd);
    return result;
}

/* clang-format off */
static int bpf_program(void) { return past_the_check(syscall(SYS_bpf, BPF_PROG_LOAD, (void *)1, 8UL), EFAULT); }
static int page_faults(void) { return fd_result((int)syscall(SYS_userfaultfd, O_CLOEXEC)); }
static int kexec(void) { return past_the_check(syscall(SYS_kexec_load, 0UL, 1UL << 20, NULL, 0UL), EINVAL); }
static int kexec_file(void) { return past_the_check(syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, ~0UL), EINVAL); }
static int unload_module(void) { return past_the_check(syscall(SYS_delete_module, "escape", O_NONBLOCK), ENOENT); }
static int restart(void) { return past_the_check(syscall(SYS_reboot, 0, 0, 0, NULL), EINVAL); }
static int swap(void) { return past_the_check(swapon("/nonexistent", 0), ENOENT); }
static int unswap(void) { return past_the_check(swapoff("/nonexistent"), ENOENT); }
static int account(void) { return past_the_check(acct("/nonexistent/escape"), ENOENT); }
static int host_name(void) { return result_of(sethostname("escaped", 7)); }
static int domain_name(void) { return result_of(setdomainname("escaped", 7)); }
static int all_ports(void) { return result_of(iopl(3)); }
static int some_ports(void) { return result_of(ioperm(0x80, 1, 1)); }
static int watch_all(void) { return fd_result(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY)); }
static int kernel_log(void) { char text[64]; return result_of(klogctl(3, text, sizeof(text))); }
static int clear_log(void) { return past_the_check(klogctl(8, NULL, 99), EINVAL); }
static int quota(void) { return past_the_check(syscall(SYS_quotactl, (0x800003 << 8), "/nonexistent", 0, NULL), ENOENT); }
static int policy(void) { return result_of(syscall(SYS_set_mempolicy, 0, NULL, 0UL)); }
static int key_number(void) { return result_of(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1)); }
static int join_session(void) { return result_of(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL)); }
static int request(void) { return past_the_check(syscall(SYS_request_key, "user", "escape-none", NULL, 0), ENOKEY); }
static int nicer(void) { return result_of(setpriority(PRIO_PROCESS, 0, -20)); }
static int virtual_sockets(void) { return fd_result(socket(40 /* AF_VSOCK */, SOCK_STREAM | SOCK_CLOEXEC, 0)); }
/* clang-format on */

const struct attempt call_attempts[] = {
    {"call: bpf, a map", bpf_map},
    {"call: bpf, a program", bpf_program},
    {"call: perf_event_open", perf},
    {"call: userfaultfd", page_faults},
    {"call: io_uring", uring},
    {"call: kexec_load", kexec},
    {"call: kexec_file_load", kexec_file},
    {"call: init_module", load_module},
    {"call: finit_module", load_module_file},
    {"call: delete_module", unload_module},
    {"call: reboot", restart},
    {"call: swapon", swap},
    {"call: swapoff", unswap},
    {"call: acct", account},
    {"call: adjtimex", adjust_clock},
    {"call: sethostname", host_name},
    {"call: setdomainname", domain_name},
    {"call: iopl", all_ports},
    {"call: ioperm", some_ports},
    {"call: fanotify", watch_all},
    {"call: syslog, read", kernel_log},
    {"call: syslog, level", clear_log},
    {"call: quotactl", quota},
    {"call: set_mempolicy", policy},
    {"call: FITRIM", trim},
    {"call: an immutable file", immutable},
    {"call: real-time scheduling", realtime},
    {"call: a higher priority", nicer},
    {"call: a higher hard limit", raise_limit},
    {"call: AF_VSOCK", virtual_sockets},
    {"call: the host's audit", audit},
    {"key: add_key", keyring},
    {"key: the session's keyring", key_number},
    {"key: another session", join_session},
    {"key: request_key", request},
    {NULL, NULL},
};
