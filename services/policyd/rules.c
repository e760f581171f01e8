/* SPDX-License-Identifier: Apache-2.0
 *
 * Built-in rules and the choice of rules for a tenant; see rules.h.
 */
#include "rules.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/limits.h"

#define CAP(name) (1ULL << (name))
/* The fourteen that Docker gives by default. */
#define DOCKER_CAPABILITIES                                                                                            \
    (CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FSETID) | CAP(CAP_FOWNER) | CAP(CAP_MKNOD) | CAP(CAP_NET_RAW) |  \
     CAP(CAP_SETGID) | CAP(CAP_SETUID) | CAP(CAP_SETFCAP) | CAP(CAP_SETPCAP) | CAP(CAP_NET_BIND_SERVICE) |             \
     CAP(CAP_SYS_CHROOT) | CAP(CAP_KILL) | CAP(CAP_AUDIT_WRITE))

static const char *const rule_names[RULE_COUNT] = {
    [RULE_NONE] = "",
    [RULE_CAPABILITIES] = "capabilities",
    [RULE_PRIVILEGED] = "privileged",
    [RULE_SECCOMP] = "seccomp",
    [RULE_HOST_NAMESPACES] = "host_namespaces",
    [RULE_NETWORKS] = "networks",
    [RULE_MACVLAN_PARENTS] = "macvlan_parents",
    [RULE_BRIDGE_NAMES] = "bridge_names",
    [RULE_SUBNETS] = "subnets",
    [RULE_PUBLISH] = "publish",
    [RULE_MOUNTS] = "mounts",
    [RULE_REGISTRIES] = "registries",
    [RULE_SYSCTLS] = "sysctls",
    [RULE_SYSTEM_PATHS] = "system_paths",
    [RULE_OOM_SCORE] = "oom_score_minimum",
    [RULE_LOG_DRIVERS] = "log_drivers",
    [RULE_QUOTAS] = "quotas",
    [RULE_DEVICES] = "devices",
    [RULE_DEVICE_RULES] = "device_rules",
    [RULE_CGROUP_PARENTS] = "cgroup_parents",
    [RULE_LABELS] = "labels",
    [RULE_OWNER] = "owner",
    [RULE_FILES] = "files",
};

/* What Docker allows whoever may use its socket: the root tenant is root. */
static const struct rules root_rules = {
    .for_root = true,
    .capabilities = (CAP(CAP_LAST_CAP) << 1) - 1,
    .privileged = true,
    .seccomp = RULES_SECCOMP_DEFAULT | RULES_SECCOMP_PROFILE | RULES_SECCOMP_UNCONFINED,
    .host_namespaces = RULES_HOST_PID | RULES_HOST_IPC | RULES_HOST_UTS | RULES_HOST_CGROUP,
    .networks = RULES_NETWORK_NONE | RULES_NETWORK_HOST | RULES_NETWORK_BRIDGE | RULES_NETWORK_MACVLAN,
    .macvlan_parents = {.n = 1, .items = {"*"}},
    .bridge_names = {.n = 1, .items = {"*"}},
    .subnets = {.n = 1, .items = {"*"}},
    .publish = {.n = 1, .items = {"*:1-65535"}},
    .mount_paths = {.n = 1, .items = {"/"}},
    .registries_allowed = {.n = 1, .items = {"*"}},
    .sysctls = {.n = 1, .items = {"*"}},
    .system_paths = true,
    .mount_propagation = true,
    .oom_score_minimum = -1000,
    .log_drivers = RULES_LOG_NONE | RULES_LOG_JSON_FILE | RULES_LOG_LOCAL | RULES_LOG_JOURNALD,
    .devices = {.n = 1, .items = {"/dev/*"}},
    .device_rules = true,
    .cgroup_parents = {.n = 1, .items = {"*"}},
    .labels = true,
};

/* Everybody else: nothing that reaches beyond the container but files that are the tenant's own anyway. */
static const struct rules other_rules = {
    .for_others = true,
    .capabilities = DOCKER_CAPABILITIES,
    .seccomp = RULES_SECCOMP_DEFAULT,
    .networks = RULES_NETWORK_NONE | RULES_NETWORK_BRIDGE,
    .subnets = {.n = 1, .items = {"pools"}},        /* elsewhere they might be of somebody whom others speak to */
    .publish = {.n = 1, .items = {"*:1024-65535"}}, /* what any user of the host may bind, too */
    .mount_paths = {.n = 1, .items = {"/"}},
    .mounts_must_be_owned = true,
    .registries_allowed = {.n = 1, .items = {"*"}},
    .sysctls = {.n = 1, .items = {"*"}},
    .log_drivers = RULES_LOG_NONE | RULES_LOG_JSON_FILE | RULES_LOG_LOCAL,
    .quotas = {.containers = 100, .containers_kept = 1000, .pids = 4096, .volumes = 1000, .networks = 32, .pulls = 16},
};

const char *rule_name(enum rule rule)
{
    return (unsigned int)rule < RULE_COUNT ? rule_names[rule] : "";
}

const struct rules *rules_builtin(bool root_tenant)
{
    return root_tenant ? &root_rules : &other_rules;
}

const char *rules_origin(const struct rules *rules, enum rule rule, char *buffer, size_t buffer_bytes)
{
    if (rules->set_by_file & (1ULL << rule)) {
        (void)snprintf(buffer, buffer_bytes, "policy.d/%s", rules->file);
        return buffer;
    }
    (void)snprintf(buffer, buffer_bytes, "%s",
                   rule == RULE_OWNER   ? "built in"
                   : rule == RULE_FILES ? "policy.d"
                   : rules->for_root    ? "the built-in rules for the root tenant"
                                        : "the built-in rules for other tenants");
    return buffer;
}

static bool names_uid(const struct rules *rules, uint32_t tenant_uid)
{
    for (size_t i = 0; i < rules->n_uids; i++) {
        if (rules->uids[i] == tenant_uid) {
            return true;
        }
    }
    return false;
}

const struct rules *rule_book_find(const struct rule_book *book, uint32_t tenant_uid)
{
    const struct rules *general = book->closed;
    for (size_t i = 0; i < book->n_files; i++) {
        const struct rules *rules = &book->files[i];
        if (names_uid(rules, tenant_uid)) {
            return rules;
        }
        if (tenant_uid == 0 ? rules->for_root : rules->for_others) {
            general = rules;
        }
    }
    return general ? general : rules_builtin(tenant_uid == 0);
}

int rule_book_close(struct rule_book *ret_book, const struct bh_error *why, struct bh_error *error)
{
    *ret_book = (struct rule_book){.closed = calloc(1, sizeof(*ret_book->closed))};
    if (!ret_book->closed) {
        return bh_error_errno(error, ENOMEM, "hold the rules");
    }
    (void)snprintf(ret_book->unreadable, sizeof(ret_book->unreadable), "%s", why->message);
    ret_book->closed->unreadable = ret_book->unreadable;
    return 0;
}

void rule_book_free(struct rule_book *book)
{
    free(book->files);
    free(book->closed);
    *book = (struct rule_book){0};
}
