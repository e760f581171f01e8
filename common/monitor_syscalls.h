/* SPDX-License-Identifier: Apache-2.0
 *
 * Every system call a running monitor may make. The executor compiles this list into the filter that it puts into the
 * start memfd (common/monitor_start.h); the monitor installs it before it reads anything else. All others end the
 * process. Names that an architecture lacks are skipped. No socket(), no execve(), no clone(), no kill().
 */
#pragma once

#include <stddef.h>

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
    "fcntl",
    "ioctl", /* TIOCSWINSZ, on the container's own terminal */
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
    "mmap",
    "munmap",
    "mremap",
    "madvise",
    "mprotect",
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
    "tgkill",
    "exit",
    "exit_group",
    NULL,
};
