/* SPDX-License-Identifier: Apache-2.0
 *
 * The named groups of system calls that sandboxes are made of. A name that this processor or libseccomp does not know
 * is passed over; calls that need a look at their arguments are not listed here but in sandbox_filter.c. Knowingly in
 * no group but the executor's: execve, ptrace, mount and its kin, setns, unshare, keyctl, bpf, perf_event_open,
 * io_uring_*, userfaultfd, process_vm_*, kexec_*, *_module, name_to_handle_at, open_by_handle_at.
 */
#include "common/sandbox.h"

static const char *const base[] = {
    "exit",
    "exit_group",
    "rt_sigreturn",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigpending",
    "sigaltstack",
    "clock_gettime",
    "clock_getres",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "getrandom",
    "futex",
    "futex_waitv",
    "brk",
    "munmap",
    "mremap",
    "madvise",
    "getpid",
    "gettid",
    "getppid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getresuid",
    "getresgid",
    "sched_yield",
    "sched_getaffinity",
    "restart_syscall",
    "getrlimit",
    "uname",
    "sysinfo",
    "getrusage",
    "membarrier",
    "rseq",
    "set_robust_list",
    "get_robust_list",
    "getcpu",
    "umask",
    NULL,
};

static const char *const io[] = {
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "preadv",
    "pwritev",
    "lseek",
    "fstat",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "poll",
    "ppoll",
    "select",
    "pselect6",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "eventfd2",
    "pipe",
    "pipe2",
    "memfd_create",
    "ftruncate",
    "splice",
    "tee",
    "vmsplice",
    "copy_file_range",
    "sendfile",
    "fadvise64",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    NULL,
};

static const char *const channel[] = {
    "sendmsg", "recvmsg", "recvfrom", "sendto", "shutdown", "getsockopt", NULL,
};

static const char *const fork_worker[] = {
    "wait4",     "waitid", "kill",   "tgkill",  "pidfd_open", "pidfd_send_signal",
    "setrlimit", "capget", "capset", "seccomp", NULL,
};

static const char *const threads[] = {
    "sched_getparam",
    "sched_getscheduler",
    "set_tid_address",
    NULL,
};

static const char *const files[] = {
    "openat",     "openat2",   "open",       "creat",    "newfstatat", "statx",           "stat",      "lstat",
    "unlinkat",   "unlink",    "renameat2",  "renameat", "rename",     "linkat",          "link",      "mkdirat",
    "mkdir",      "rmdir",     "getdents64", "fsync",    "fdatasync",  "sync_file_range", "syncfs",    "fallocate",
    "flock",      "faccessat", "faccessat2", "access",   "readlinkat", "readlink",        "fchmod",    "fchmodat",
    "fstatfs",    "statfs",    "getcwd",     "chdir",    "fchdir",     "utimensat",       "fsetxattr", "fgetxattr",
    "flistxattr", "truncate",  NULL,
};

static const char *const files_read[] = {
    "openat",   "openat2", "open",      "newfstatat", "statx",   "stat",   "lstat",  "getdents64", "readlinkat",
    "readlink", "access",  "faccessat", "faccessat2", "fstatfs", "statfs", "getcwd", NULL,
};

static const char *const stream[] = {
    "recvfrom", "sendto", "setsockopt", "getsockname", "getpeername", "recvmmsg", "sendmmsg", NULL,
};

static const char *const network[] = {
    "connect", "bind", "setsockopt", "getsockname", "getpeername", "recvfrom", "sendto", "recvmmsg", "sendmmsg", NULL,
};

static const char *const netlink[] = {
    "bind", "setsockopt", "getsockname", "recvfrom", "sendto", NULL,
};

static const char *const executor[] = {
    "execve",        "execveat",  "clone",       "clone3",        "unshare",   "setns",      "mount",     "umount2",
    "pivot_root",    "chroot",    "fsopen",      "fsconfig",      "fsmount",   "fspick",     "open_tree", "move_mount",
    "mount_setattr", "setresuid", "setresgid",   "setuid",        "setgid",    "setgroups",  "setfsuid",  "setfsgid",
    "capget",        "capset",    "sethostname", "setdomainname", "setsid",    "setpgid",    "mknodat",   "mknod",
    "fchown",        "fchownat",  "lchown",      "chown",         "symlinkat", "bpf",        "ioctl",     "prctl",
    "socket",        "bind",      "listen",      "accept4",       "connect",   "socketpair", NULL,
};

static const char *const sqlite[] = {
    "pread64", "pwrite64", "fdatasync", "fsync", "ftruncate", "geteuid", NULL,
};

static const struct {
    const char *name;
    const char *const *syscalls;
} groups[] = {
    [BH_SYS_BASE] = {"base", base},
    [BH_SYS_IO] = {"io", io},
    [BH_SYS_CHANNEL] = {"channel", channel},
    [BH_SYS_FORK_WORKER] = {"fork-worker", fork_worker},
    [BH_SYS_THREADS] = {"threads", threads},
    [BH_SYS_FILES] = {"files", files},
    [BH_SYS_FILES_READ] = {"files-read", files_read},
    [BH_SYS_STREAM] = {"stream", stream},
    [BH_SYS_NETWORK] = {"network", network},
    [BH_SYS_NETLINK] = {"netlink", netlink},
    [BH_SYS_EXECUTOR] = {"executor", executor},
    [BH_SYS_SQLITE] = {"sqlite", sqlite},
};

const char *const *bh_sandbox_group(enum bh_syscalls group)
{
    return (size_t)group < sizeof(groups) / sizeof(groups[0]) ? groups[group].syscalls : NULL;
}

const char *bh_sandbox_group_name(enum bh_syscalls group)
{
    return (size_t)group < sizeof(groups) / sizeof(groups[0]) && groups[group].name ? groups[group].name : "?";
}
