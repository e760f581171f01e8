/* SPDX-License-Identifier: Apache-2.0
 *
 * Every system call a running monitor may make. The executor compiles this list into the filter that it puts into the
 * start memfd (common/monitor_start.h); the monitor installs it before it reads anything else. All others end the
 * process. Names that an architecture lacks are skipped. No socket(), no execve(), no clone(), no kill(), and no
 * tgkill(): a tenant's monitors share a uid, and none may end another.
 */
#pragma once

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static const char *const bh_monitor_syscalls[] = {
    /* streams, channels and the wait for them */
    "read",
    "write",
    "readv",
    "writev",
    "poll",
    "ppoll",
    "recvmsg",
    "sendmsg",
    "accept4",
    "shutdown",
    "setsockopt",
    "close",
    "dup3",
    /* the log and the exit record, all below the log folder's descriptor */
    "openat",
    "renameat",
    "renameat2",
    "unlinkat",
    "fstat",
    "newfstatat",
    "statx",
    "lseek",
    "pread64",
    "pwrite64",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "umask",
    /* the container's first process: to collect it, never to signal it */
    "waitid",
    "wait4",
    /* memory of its own */
    "brk",
    "munmap",
    "mremap",
    "madvise",
    /* time, signals' return, the end */
    "clock_gettime",
    "gettimeofday",
    "clock_nanosleep",
    "restart_syscall",
    "rt_sigprocmask",
    "rt_sigaction",
    "rt_sigreturn",
    "getrandom",
    "futex",
    "getpid",
    "gettid",
    "exit",
    "exit_group",
    NULL,
};

/* And these, as far as one argument goes: equal to `value` in what `mask` keeps. */
static const struct {
    const char *name;
    unsigned int argument;
    uint64_t mask, value;
} bh_monitor_some_uses[] = {
    {"ioctl", 1, UINT32_MAX, TIOCSWINSZ}, /* on the container's own terminal */
    {"fcntl", 1, UINT32_MAX, F_GETFD},
    {"fcntl", 1, UINT32_MAX, F_SETFD},
    {"fcntl", 1, UINT32_MAX, F_GETFL},
    {"fcntl", 1, UINT32_MAX, F_SETFL},
    {"mmap", 2, PROT_EXEC, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    {0},
};
