/* SPDX-License-Identifier: Apache-2.0
 *
 * Admission rules: what each tenant's containers may be. Built-in ones for the root tenant and for others; files in
 * policy.d change them for the tenants they name. Filled by rules_file.c from root-owned files, read by judge.c.
 * docs/policy.md describes the files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Every rule, for messages and the audit log. Names are those of the files' keys. */
enum rule {
    RULE_NONE,
    RULE_CAPABILITIES,
    RULE_PRIVILEGED,
    RULE_SECCOMP,
    RULE_HOST_NAMESPACES,
    RULE_NETWORKS,
    RULE_MACVLAN_PARENTS,
    RULE_BRIDGE_NAMES,
    RULE_SUBNETS,
    RULE_PUBLISH,
    RULE_MOUNTS,
    RULE_REGISTRIES,
    RULE_SYSCTLS,
    RULE_SYSTEM_PATHS,
    RULE_OOM_SCORE,
    RULE_LOG_DRIVERS,
    RULE_QUOTAS,
    RULE_DEVICES,
    RULE_DEVICE_RULES,
    RULE_CGROUP_PARENTS,
    RULE_LABELS,
    RULE_OWNER, /* no file can change it: a container belongs to one tenant */
    RULE_FILES, /* what they say is not known */
    RULE_COUNT,
};
const char *rule_name(enum rule rule);

#define RULES_NAME_SIZE    64
#define RULES_LIST_MAX     64
#define RULES_PATTERN_SIZE 256

enum { RULES_SECCOMP_DEFAULT = 1, RULES_SECCOMP_PROFILE = 2, RULES_SECCOMP_UNCONFINED = 4 };
enum { RULES_HOST_PID = 1, RULES_HOST_IPC = 2, RULES_HOST_UTS = 4, RULES_HOST_CGROUP = 8 };
enum { RULES_NETWORK_NONE = 1, RULES_NETWORK_HOST = 2, RULES_NETWORK_BRIDGE = 4, RULES_NETWORK_MACVLAN = 8 };

enum { RULES_LOG_NONE = 1, RULES_LOG_JSON_FILE = 2, RULES_LOG_LOCAL = 4, RULES_LOG_JOURNALD = 8 };

struct rules_list {
    size_t n;
    char items[RULES_LIST_MAX][RULES_PATTERN_SIZE];
};

struct rules {
    char file[RULES_NAME_SIZE]; /* "" for the built-in ones */
    uint64_t set_by_file;       /* mask of (1 << enum rule): the others are built in */
    bool for_root, for_others;  /* which tenants, beside `uids` */
    size_t n_uids;
    uint32_t uids[RULES_LIST_MAX];

    const char *unreadable; /* why no rules are known: nothing that they judge is allowed. NULL: they are */
    bool audit_only;        /* refusals are logged, not made */
    uint64_t capabilities;
    bool privileged;
    unsigned int seccomp, host_namespaces, networks;
    struct rules_list macvlan_parents; /* patterns of the host's links that macvlan networks may use */
    struct rules_list bridge_names;    /* patterns of names that a network's bridge may be given */
    struct rules_list subnets;         /* subnets.h: addresses that networks of bridges may have */
    struct rules_list publish;         /* publish.h: addresses and ports of the host that may lead to containers */
    struct rules_list mount_paths;     /* folders below which bind mounts may lie */
    bool mounts_must_be_owned;
    bool mount_propagation; /* bind mounts may show what the host mounts below them later */
    struct rules_list registries_allowed, registries_denied; /* fnmatch(3) patterns; denied wins */
    struct rules_list sysctls;                               /* patterns, within what is namespaced at all */
    bool system_paths;                                       /* may leave out Docker's masked and read-only paths */
    int32_t oom_score_minimum;
    unsigned int log_drivers;
    struct rules_list devices;        /* patterns of paths below /dev; "…:rw" allows no more than that */
    bool device_rules;                /* may ask for cgroup rules of devices by number */
    struct rules_list cgroup_parents; /* patterns, relative to the configured parent */
    bool labels;                      /* may go without AppArmor profile and SELinux label */
    struct {
        uint64_t containers;      /* running at once, of the tenant; 0: no limit */
        uint64_t containers_kept; /* with files of their own, of the tenant: running or not */
        uint64_t memory_bytes;    /* of one container; one that asks for no limit gets this one */
        uint64_t cpu_quota_us;    /* per 100 ms, likewise */
        uint64_t pids;            /* likewise */
        uint64_t disk_bytes;      /* of a container's own files, and of a volume, likewise */
        uint64_t image_bytes;     /* of the tenant's images together, each layer once */
        uint64_t volumes;         /* of the tenant */
        uint64_t networks;        /* of the tenant; 0: no limit */
        uint64_t pulls;           /* and pushes, under way at once, of the tenant */
    } quotas;
};

/* The built-in rules, documented in docs/policy.md. */
const struct rules *rules_builtin(bool root_tenant);

/* Where a rule stands, for messages: `policy.d/10-web.json` or "the built-in rules for other tenants". */
const char *rules_origin(const struct rules *rules, enum rule rule, char *buffer, size_t buffer_bytes);

/* All rules in force. */
struct rule_book {
    size_t n_files;
    struct rules *files;
    struct rules *closed; /* the only ones, for every tenant, when the files cannot be read */
    char unreadable[BH_ERROR_MESSAGE_SIZE];
};
/* Makes `ret_book` one that allows nothing, because of `why`. */
int rule_book_close(struct rule_book *ret_book, const struct bh_error *why, struct bh_error *error);
/* What applies to a tenant: the file that names its uid, else "root" or "others", else the built-in ones. */
const struct rules *rule_book_find(const struct rule_book *book, uint32_t tenant_uid);
void rule_book_free(struct rule_book *book);
