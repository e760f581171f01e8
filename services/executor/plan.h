/* SPDX-License-Identifier: Apache-2.0
 *
 * From a checked spec to a list of operations: pure, so that what a container's start does can be tested without doing
 * it. act.c performs the list, in this order, in three stages (see there).
 */
#pragma once

#include "spec.h"

enum operation_kind {
    OPERATION_PROC = 1, /* procfs of the container's own PID namespace, or the host's */
    OPERATION_SYSFS,    /* sysfs of its network namespace, read-only; with the host's network the host's */
    OPERATION_CGROUPS,  /* its own cgroups, read-only, at /sys/fs/cgroup */
    OPERATION_MQUEUE,
    OPERATION_ROOT, /* overlay of layers and upper; becomes "/" */
    OPERATION_DEV,  /* tmpfs with the six devices and Docker's links */
    OPERATION_DEVPTS,
    OPERATION_CONSOLE, /* the terminal, at /dev/console */
    OPERATION_TMPFS,
    OPERATION_FILE, /* one of our own files, `source` in the container's folder, over `target` */
    OPERATION_BIND,
    OPERATION_DEVICE,     /* `source` below the host's /dev, at `target` */
    OPERATION_SHARED_SHM, /* /dev/shm of the container whose IPC namespace is shared */
    OPERATION_HOST_SHM,   /* the host's, at `source` */
    OPERATION_VOLUME,     /* `source` is a path in it, or "" */
    OPERATION_HOST_NAME,
    OPERATION_LOOPBACK, /* lo up */
    OPERATION_LINKS,    /* waits until its network's links are there */
    OPERATION_SYSCTL,   /* `target` is the name, `source` the value */
    OPERATION_MASK,
    OPERATION_READ_ONLY_PATH,
    OPERATION_READ_ONLY_ROOT,
    OPERATION_COUNT,
};

struct operation {
    enum operation_kind kind;
    const char *target; /* absolute path inside, borrowed from the spec or constant */
    const char *source;
    uint64_t attributes;     /* MOUNT_ATTR_* */
    uint64_t bytes;          /* tmpfs: its size; 0: no limit */
    uint64_t inodes;         /* tmpfs: likewise */
    uint32_t mode, uid, gid; /* tmpfs; the owner's ids as the container sees them */
    const uint8_t *volume;   /* volume: its id, 32 bytes */
    const char *name;        /* volume: for messages */
    int held;                /* tmpfs volume: its mount, borrowed; -1 for other volumes */
    uint64_t propagation;    /* bind: MS_* */
    bool top_read_only;
    bool no_copy;        /* volume: it is not filled from the image */
    unsigned int access; /* device: SPEC_DEVICE_* */
    bool recursive, must_be_owned, create_source;
    bool ordinary_folder; /* the target must be a real folder: no symbolic link on the way to it */
    int fd;               /* filled in by act.c: the detached mount; -1 before */
};

struct plan {
    uint64_t
        namespaces; /* CLONE_NEW* of the container's first process, cgroup excepted: that comes once it is in place */
    bool join_host_net, join_host_ipc, join_host_uts, join_host_cgroup;
    bool shared; /* namespaces of another container's, and with them its user namespace: shared.h */
    struct operation *operations;
    size_t n_operations;
};

/* The plan borrows from `spec`. Fails only for want of memory. */
int plan_make(const struct container_spec *spec, struct plan **ret_plan, struct bh_error *error);
/* What a copier sees of a container that does not run: its root with all that would be mounted there and has content of
 * its own, which an empty tmpfs and the kernel's file systems have not. */
int plan_make_copy(const struct container_spec *spec, struct plan **ret_plan, struct bh_error *error);
void plan_free(struct plan *plan);
void plan_cleanup(struct plan **plan);
