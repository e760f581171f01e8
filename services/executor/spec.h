/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's description, checked: the executor's own form of ContainerSpec. service.c decodes into it, everything
 * behind works with it. Policyd judged the message; still every number and string of it is checked here once more.
 */
#pragma once

#include <linux/capability.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/digest.h"
#include "common/error.h"
#include "common/monitor_start.h"
#include "container.pb-c.h"

enum spec_mount_kind { SPEC_MOUNT_BIND, SPEC_MOUNT_TMPFS, SPEC_MOUNT_VOLUME };

struct spec_mount {
    enum spec_mount_kind kind;
    const char *source, *target;
    bool read_only, no_exec, recursive, must_be_owned, create_source;
    uint64_t tmpfs_bytes, tmpfs_inodes; /* 0: no limit */
    uint32_t tmpfs_mode, tmpfs_uid, tmpfs_gid;
    bool allow_devices, allow_setuid;  /* tmpfs */
    uint8_t volume[32];                /* volume: which */
    const char *volume_name, *subpath; /* for messages; "" or a relative path in it */
    bool volume_tmpfs, top_read_only, no_copy;
    uint64_t propagation; /* MS_* of mount(2) */
    int held;             /* a tmpfs volume's mount, borrowed; -1 before */
};

struct spec_limit {
    int resource; /* RLIMIT_* */
    const char *name;
    uint64_t soft, hard; /* UINT64_MAX: RLIM_INFINITY */
};

/* Of one block device; the list is the message's own. */
struct spec_device_limits {
    Bulkhead__DeviceLimit *const *items;
    size_t n;
};

#define SPEC_ALL_DEVICES "/dev" /* as host_path and as path: all that the host has */
#define SPEC_DEVICE_ANY  (-1)   /* every number */

/* A device of the host, or a folder of them. `access` is of SPEC_DEVICE_*. */
struct spec_device {
    const char *host_path; /* below /dev, or SPEC_ALL_DEVICES */
    const char *path;
    unsigned int access;
};
enum { SPEC_DEVICE_READ = 1, SPEC_DEVICE_WRITE = 2, SPEC_DEVICE_MAKE = 4 };

struct spec_device_rule {
    char kind;        /* 'a', 'b' or 'c' */
    int major, minor; /* or SPEC_DEVICE_ANY */
    unsigned int access;
};

/* 0 and "": not asked for; UINT64_MAX: no limit. */
struct spec_resources {
    uint64_t memory_bytes, memory_swap_bytes, memory_reservation_bytes;
    uint64_t cpu_quota_us, cpu_period_us, cpu_shares, pids_max;
    const char *cpuset_cpus, *cpuset_mems;
    uint32_t blkio_weight;
    bool oom_kill_disable;
    bool memory_swappiness_set;
    uint32_t memory_swappiness;
    uint64_t cpu_realtime_period_us, cpu_realtime_runtime_us;
    struct spec_device_limits weights, read_bytes, write_bytes, read_operations, write_operations;
};

#define SPEC_ALL_CAPABILITIES ((1ULL << (CAP_LAST_CAP + 1)) - 1)

struct spec_text_list {
    char *const *items;
    size_t n;
};

struct spec_sysctl {
    const char *name, *value;
};

enum spec_network { SPEC_NETWORK_NONE, SPEC_NETWORK_HOST, SPEC_NETWORK_JOINED, SPEC_NETWORK_LINKED };
enum spec_seccomp { SPEC_SECCOMP_DEFAULT, SPEC_SECCOMP_UNCONFINED, SPEC_SECCOMP_PROFILE };

/* Strings and lists are borrowed from the message; the arrays are owned. */
struct container_spec {
    uint8_t id[32];
    char name[65]; /* the id in hex: the only name that becomes a path */
    uint32_t tenant_uid;
    struct bh_digest *layers; /* base first */
    size_t n_layers;

    struct spec_text_list args, env, groups;
    const char *cwd, *user;
    bool tty, open_stdin, stdin_once;
    uint16_t tty_rows, tty_columns;

    const char *host_name, *domain_name;
    enum spec_network network;
    const Bulkhead__Attachment *attachment; /* of SPEC_NETWORK_LINKED: the message's own, checked; else NULL */
    bool embedded_dns, has_ipv6;            /* what it says of all its links */
    struct spec_mount *mounts;
    size_t n_mounts;
    bool read_only_root;
    uint64_t capabilities;
    bool no_new_privileges;
    enum spec_seccomp seccomp;
    Bulkhead__SeccompProfile *profile; /* owned; NULL unless SPEC_SECCOMP_PROFILE */
    struct spec_resources resources;
    struct spec_limit *limits;
    size_t n_limits;
    struct spec_text_list masked_paths, read_only_paths;
    struct spec_sysctl *sysctls;
    size_t n_sysctls;
    struct spec_text_list extra_hosts, dns_servers, dns_search, dns_options;
    uint64_t shm_bytes, disk_bytes;
    int32_t oom_score_adjust;
    enum bh_log_driver log_driver;
    uint64_t log_max_bytes;
    uint32_t log_max_files;
    bool log_compress;
    char *journal_fields; /* of every entry, with log_driver journald; else NULL */
    size_t n_journal_fields;
    bool host_pid, host_ipc, host_uts, host_cgroup, init, ephemeral;
    bool no_shm;
    const uint8_t *join_network, *join_ipc, *join_pid; /* ids of 32 bytes; NULL: not shared */
    struct spec_device *devices;
    size_t n_devices;
    struct spec_device_rule *device_rules;
    size_t n_device_rules;

    uint32_t keep_bytes; /* of an exec's output */
    uint32_t id_base, id_count, monitor_uid;
    const char *cgroup_parent;
    bool identity_binds;
    const char *selinux_label, *selinux_mount_label, *apparmor_profile;
};

/* Checks all of `message`, which must outlive the result. Refuses with INVALID_ARGUMENT, naming the field and what
 * would have been right. `cgroup_parent` is the configured one, below which the container's must lie. */
int spec_decode(const Bulkhead__ContainerSpec *message, const char *cgroup_parent, struct container_spec **ret_spec,
                struct bh_error *error);
/* Checks a process that is to join the container of `spec`, and puts it in the place of that one's own; the groups stay
 * the container's. */
int spec_decode_joining(const Bulkhead__Process *message, struct container_spec *spec, struct bh_error *error);
int spec_decode_resources(const Bulkhead__Resources *message, struct spec_resources *ret_resources,
                          struct bh_error *error);
void spec_free(struct container_spec *spec);
void spec_cleanup(struct container_spec **spec);
