/* SPDX-License-Identifier: Apache-2.0
 *
 * A sandbox as data: one const struct per process, and one function that applies it. Whoever wants to
 * know what a helper may touch reads its services/<name>/sandbox.c and nothing else. A row that cannot be
 * enforced stops the start. `bulkhead-<name> --sandbox` prints the table as JSON; the tests compare it with /proc.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/control.h"
#include "common/error.h"

/* What the process sees as "/". */
enum bh_root {
    BH_ROOT_EMPTY = 1, /* an empty, read-only tmpfs (plus `views`) */
    BH_ROOT_FOLDER,    /* its own BH_FOLDER_STATE, writable, nosuid,nodev,noexec */
    BH_ROOT_HOST,      /* executor and supervisor only */
    BH_ROOT_CONTAINER, /* a container's, whose namespaces were entered before; "root" is its root, too */
    BH_ROOT_PROCFS,    /* of a worker: the kernel's files about processes, and no other file system */
};

/* System calls by named group; each group is one list in common/sandbox_syscalls.c. */
enum bh_syscalls {
    BH_SYS_END = 0,
    BH_SYS_BASE,    /* exit, signals return, clocks, getrandom, futex, memory of its own: everybody has it */
    BH_SYS_IO,      /* read, write, lseek, fstat, fcntl, dup, close, poll, epoll, pipes, eventfd, memfd, ftruncate */
    BH_SYS_CHANNEL, /* sendmsg, recvmsg, shutdown, getsockopt on sockets it was handed, socketpair(AF_UNIX) */
    BH_SYS_FORK_WORKER, /* clone without any CLONE_NEW*, wait4, waitid, kill of its own children's pidfd; and what a
                           worker gives its rights up with: setrlimit downwards, capset, seccomp */
    BH_SYS_THREADS,     /* clone for threads, set_robust_list, rseq, sched_yield */
    BH_SYS_FILES, /* openat, unlinkat, renameat2, linkat, mkdirat, getdents64, fsync, fallocate, flock ... below its
                     root */
    BH_SYS_FILES_READ, /* openat, newfstatat, getdents64, readlinkat for reading */
    BH_SYS_STREAM,     /* recvfrom, sendto, setsockopt, getsockname, getpeername on connected sockets it was handed */
    BH_SYS_NETWORK,    /* socket(AF_INET, AF_INET6), connect, bind: the dialer's reason to exist */
    BH_SYS_NETLINK,    /* socket(AF_NETLINK) for routes and netfilter, bind: netd's reason to exist */
    BH_SYS_EXECUTOR,   /* mounts, namespaces, ids, capabilities, execve: the executor's reason to exist */
    BH_SYS_SQLITE,     /* what SQLite needs beyond FILES: pread, pwrite, fcntl locks, mmap of the -shm file */
};

/* A host file or folder shown inside an otherwise empty root, read-only unless it says otherwise. */
struct bh_view {
    const char *host; /* absolute host path; NULL: `folder` */
    enum bh_folder folder;
    const char *inside; /* absolute path in the new root */
    bool optional;      /* absent on the host is no error */
    bool writable;      /* what the file system itself lets this process write */
};

struct bh_worker_sandbox;

struct bh_sandbox {
    enum bh_role role;
    int unshare; /* CLONE_NEW*: what it does not share with the host */
    enum bh_root root;
    struct bh_view views[8]; /* ends with an empty row */
    uint64_t capabilities;   /* mask of (1 << CAP_x) it keeps, in permitted, effective and bounding; else none */
    bool keep_root_uid;      /* executor, and copier as its container's root: uid 0 with exactly those capabilities */
    enum bh_syscalls syscalls[16]; /* ends with BH_SYS_END */
    const char *also[24];          /* single system calls beyond the groups, each with a comment at its row */
    struct {
        uint64_t memory_bytes; /* RLIMIT_AS; 0: unlimited. Under sanitizers it is not applied. */
        uint64_t file_bytes;   /* RLIMIT_FSIZE */
        uint64_t descriptors;  /* RLIMIT_NOFILE */
        uint64_t processes;    /* RLIMIT_NPROC */
        uint64_t core_bytes;   /* RLIMIT_CORE, always applied: 0 */
    } limits;
    struct {
        const char *name; /* of the process: struct bh_worker's */
        const struct bh_worker_sandbox *sandbox;
    } workers[3];             /* the kinds it may fork; printed with the table, ends with an empty row */
    const char *knowingly[8]; /* what was left in, or left out, and why: printed with the table */
};

struct bh_sandbox_context {
    uint32_t uid, gid; /* what to become; from the configuration */
    int *folders; /* indexed by enum bh_folder; -1 where none was handed over. NULL: none was. In a root of its own each
                     becomes a tree of its own: nothing is above it, and only BH_FOLDER_STATE can be written */
};

/* Applies the whole table to this process, in this order: namespaces, root, rlimits, ids, capabilities, non-dumpable,
 * no_new_privs, seccomp; then reads everything back from the kernel and compares. Single-threaded callers only. */
int bh_sandbox_enter(const struct bh_sandbox *sandbox, const struct bh_sandbox_context *context,
                     struct bh_error *error);

/* Tightens a forked worker further: no capability whatever its service has, a second filter of `syscalls` and `also`
 * only, RLIMIT_NPROC 0, and its own memory and processor-time ceilings (0: as inherited). */
struct bh_worker_sandbox {
    enum bh_root root; /* 0: its service's. Another one was entered before, which is verified */
    enum bh_syscalls syscalls[16];
    const char *also[24];
    uint64_t memory_bytes, cpu_seconds, file_bytes;
};
int bh_sandbox_enter_worker(const struct bh_worker_sandbox *sandbox, struct bh_error *error);

/* What a program does for `--sandbox`: prints the table as one JSON object, and how many system calls it comes to on
 * this processor (null: no filter). Returns the program's exit status. */
int bh_sandbox_show(const struct bh_sandbox *sandbox);

/* The system call names of a group, ending with NULL. */
const char *const *bh_sandbox_group(enum bh_syscalls group);
const char *bh_sandbox_group_name(enum bh_syscalls group);
