/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules against requests; see judge.h. The first rule that refuses is the one that is named.
 */
#include "judge.h"
#include "judge_parts.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capability_names.h"
#include "common/cleanup.h"
#include "common/limits.h"

/* Docker 28's lists: what a container may not see of the host's /proc and /sys unless `system_paths` says so. */
static const char *const masked_paths[] = {
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
static const char *const read_only_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

int judge_refuse(struct judgement *judgement, const struct rules *rules, enum rule rule, const char *format, ...)
{
    char what[BH_ERROR_MESSAGE_SIZE - 128];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    judgement->refused = true;
    judgement->audit_only = rules->audit_only;
    judgement->rule = rule;
    (void)rules_origin(rules, rule, judgement->origin, sizeof(judgement->origin));
    (void)snprintf(judgement->reason, sizeof(judgement->reason), "%s (rule \"%s\" of %s)", what, rule_name(rule),
                   judgement->origin);
    return -1;
}

int judge_begin(const struct rules *rules, struct judgement *ret_judgement)
{
    *ret_judgement = (struct judgement){0};
    return rules->unreadable
               ? judge_refuse(ret_judgement, rules, RULE_FILES,
                              "nothing new is allowed until the rule files can be read again: %s", rules->unreadable)
               : 0;
}

bool judge_matches_any(const struct rules_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (fnmatch(list->items[i], text, 0) == 0) {
            return true;
        }
    }
    return false;
}

const char *judge_list_text(const struct rules_list *list, char *buffer, size_t buffer_bytes)
{
    size_t used = 0;
    (void)snprintf(buffer, buffer_bytes, "nothing");
    for (size_t i = 0; i < list->n && used < buffer_bytes; i++) {
        int n = snprintf(buffer + used, buffer_bytes - used, "%s%s", used ? ", " : "", list->items[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return buffer;
}

static int judge_rights(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    char excess[192];
    char allowed[160];
    if (spec->privileged && !rules->privileged) {
        return judge_refuse(judgement, rules, RULE_PRIVILEGED,
                            "a privileged container is not allowed; run it without --privileged");
    }
    if (spec->capabilities & ~rules->capabilities) {
        return judge_refuse(judgement, rules, RULE_CAPABILITIES, "capabilities %s are not allowed; at most %s are",
                            capability_list(spec->capabilities & ~rules->capabilities, excess, sizeof(excess)),
                            capability_list(rules->capabilities, allowed, sizeof(allowed)));
    }
    unsigned int seccomp = spec->seccomp == BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT   ? RULES_SECCOMP_DEFAULT
                           : spec->seccomp == BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE ? RULES_SECCOMP_PROFILE
                                                                                           : RULES_SECCOMP_UNCONFINED;
    if (!(rules->seccomp & seccomp)) {
        return judge_refuse(judgement, rules, RULE_SECCOMP, "seccomp %s is not allowed; the default list is",
                            seccomp == RULES_SECCOMP_PROFILE ? "profiles of one's own" : "unconfined");
    }
    if (spec->oom_score_adjust < rules->oom_score_minimum) {
        return judge_refuse(judgement, rules, RULE_OOM_SCORE, "an OOM score of %d is not allowed; %d or more is",
                            spec->oom_score_adjust, rules->oom_score_minimum);
    }
    return 0;
}

static int judge_namespaces(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    const struct {
        bool wanted;
        unsigned int bit;
        const char *name;
    } rows[] = {{spec->host_pid, RULES_HOST_PID, "PID"},
                {spec->host_ipc, RULES_HOST_IPC, "IPC"},
                {spec->host_uts, RULES_HOST_UTS, "UTS"},
                {spec->host_cgroup, RULES_HOST_CGROUP, "cgroup"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].wanted && !(rules->host_namespaces & rows[i].bit)) {
            return judge_refuse(judgement, rules, RULE_HOST_NAMESPACES,
                                "the host's %s namespace is not allowed; one of the container's own is", rows[i].name);
        }
    }
    return judge_network_mode(spec, rules, judgement);
}

/* Whether `path` is `folder` or lies below it, component by component. */
static bool is_below(const char *folder, const char *path)
{
    size_t length = strlen(folder);
    return strcmp(folder, "/") == 0 ||
           (strncmp(folder, path, length) == 0 && (path[length] == '\0' || path[length] == '/'));
}

static int judge_source(const char *source, const struct rules *rules, struct judgement *judgement)
{
    char list[160];
    for (size_t i = 0; i < rules->mount_paths.n; i++) {
        if (is_below(rules->mount_paths.items[i], source)) {
            return 0;
        }
    }
    return judge_refuse(judgement, rules, RULE_MOUNTS, "mounting \"%.120s\" is not allowed; what lies below %s is",
                        source, judge_list_text(&rules->mount_paths, list, sizeof(list)));
}

static bool is_slave(const Bulkhead__Mount *mount)
{
    return mount->propagation_presence_case == BULKHEAD__MOUNT__PROPAGATION_PRESENCE_PROPAGATION &&
           mount->propagation != BULKHEAD__PROPAGATION__PROPAGATION_PRIVATE &&
           mount->propagation != BULKHEAD__PROPAGATION__PROPAGATION_RPRIVATE;
}

static int judge_mounts(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    for (size_t i = 0; i < spec->n_mounts; i++) {
        const Bulkhead__Mount *mount = spec->mounts[i];
        if (mount->kind != BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND) {
            continue;
        }
        if (judge_source(mount->source, rules, judgement) < 0) {
            return -1;
        }
        if (is_slave(mount) && !rules->mount_propagation) {
            return judge_refuse(judgement, rules, RULE_MOUNTS,
                                "mount propagation to \"%.120s\" is not allowed; rprivate is", mount->target);
        }
    }
    return 0;
}

void judge_volume(const Bulkhead__MakeVolume *volume, const struct rules *rules, struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    if (volume->kind == BULKHEAD__VOLUME_KIND__VOLUME_KIND_BIND) {
        (void)judge_source(volume->source, rules, ret_judgement);
    }
    if (!ret_judgement->refused && rules->quotas.disk_bytes && volume->size_bytes > rules->quotas.disk_bytes) {
        (void)judge_refuse(ret_judgement, rules, RULE_QUOTAS, "a volume of %llu bytes is not allowed; at most %llu are",
                           (unsigned long long)volume->size_bytes, (unsigned long long)rules->quotas.disk_bytes);
    }
}

static int judge_sysctls(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct judgement *judgement)
{
    for (size_t i = 0; i < spec->n_sysctls; i++) {
        if (!judge_matches_any(&rules->sysctls, spec->sysctls[i]->key)) {
            char list[160];
            return judge_refuse(judgement, rules, RULE_SYSCTLS, "sysctl %.100s is not allowed; %s is",
                                spec->sysctls[i]->key, judge_list_text(&rules->sysctls, list, sizeof(list)));
        }
    }
    return 0;
}

static int judge_list(char *const *paths, size_t n_paths, const char *const *wanted, size_t n_wanted,
                      const struct rules *rules, struct judgement *judgement)
{
    for (size_t i = 0; i < n_wanted; i++) {
        size_t k = 0;
        while (k < n_paths && strcmp(paths[k], wanted[i]) != 0) {
            k++;
        }
        if (k == n_paths) {
            return judge_refuse(judgement, rules, RULE_SYSTEM_PATHS,
                                "%s left open is not allowed; Docker's default paths are", wanted[i]);
        }
    }
    return 0;
}

static int judge_system_paths(const Bulkhead__ContainerSpec *spec, const struct rules *rules,
                              struct judgement *judgement)
{
    if (rules->system_paths) {
        return 0;
    }
    if (judge_list(spec->masked_paths, spec->n_masked_paths, masked_paths,
                   sizeof(masked_paths) / sizeof(masked_paths[0]), rules, judgement) < 0) {
        return -1;
    }
    return judge_list(spec->read_only_paths, spec->n_read_only_paths, read_only_paths,
                      sizeof(read_only_paths) / sizeof(read_only_paths[0]), rules, judgement);
}

static int judge_log_driver(const Bulkhead__LogOptions *log, const struct rules *rules, struct judgement *judgement)
{
    static const struct {
        Bulkhead__LogDriver driver;
        unsigned int bit;
        const char *name;
    } rows[] = {{BULKHEAD__LOG_DRIVER__LOG_DRIVER_NONE, RULES_LOG_NONE, "none"},
                {BULKHEAD__LOG_DRIVER__LOG_DRIVER_JSON_FILE, RULES_LOG_JSON_FILE, "json-file"},
                {BULKHEAD__LOG_DRIVER__LOG_DRIVER_LOCAL, RULES_LOG_LOCAL, "local"},
                {BULKHEAD__LOG_DRIVER__LOG_DRIVER_JOURNALD, RULES_LOG_JOURNALD, "journald"}};
    const char *wanted = "", *allowed = "none at all";
    bool fits = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_allowed = rules->log_drivers & rows[i].bit;
        allowed = is_allowed ? rows[i].name : allowed;
        if (rows[i].driver == log->driver) {
            wanted = rows[i].name;
            fits = is_allowed;
        }
    }
    return fits ? 0
                : judge_refuse(judgement, rules, RULE_LOG_DRIVERS, "log driver %s is not allowed; %s is", wanted,
                               allowed);
}

void judge_container(const Bulkhead__ContainerSpec *spec, const struct rules *rules, const struct known_count *others,
                     struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    if (judge_rights(spec, rules, ret_judgement) < 0 || judge_namespaces(spec, rules, ret_judgement) < 0 ||
        judge_mounts(spec, rules, ret_judgement) < 0 || judge_sysctls(spec, rules, ret_judgement) < 0 ||
        judge_system_paths(spec, rules, ret_judgement) < 0 || judge_devices(spec, rules, ret_judgement) < 0 ||
        judge_place(spec, rules, ret_judgement) < 0 || judge_log_driver(spec->log, rules, ret_judgement) < 0 ||
        judge_limits(spec->resources, rules, ret_judgement) < 0) {
        return;
    }
    if (rules->quotas.disk_bytes && spec->disk_bytes > rules->quotas.disk_bytes) {
        (void)judge_refuse(ret_judgement, rules, RULE_QUOTAS, "a disk of %llu bytes is not allowed; at most %llu are",
                           (unsigned long long)spec->disk_bytes, (unsigned long long)rules->quotas.disk_bytes);
        return;
    }
    if (rules->quotas.containers && others->running >= rules->quotas.containers) {
        (void)judge_refuse(ret_judgement, rules, RULE_QUOTAS,
                           "%llu containers are running already; at most %llu are allowed at once, stop one first",
                           (unsigned long long)others->running, (unsigned long long)rules->quotas.containers);
    } else if (rules->quotas.containers_kept && others->all >= rules->quotas.containers_kept) {
        (void)judge_refuse(ret_judgement, rules, RULE_QUOTAS,
                           "%llu containers are kept already, running or not; at most %llu are allowed, remove one "
                           "first",
                           (unsigned long long)others->all, (unsigned long long)rules->quotas.containers_kept);
    }
}

void judge_exec(const Bulkhead__ExecSpec *spec, const struct rules *rules, struct judgement *ret_judgement)
{
    char excess[192];
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    if (!spec->privileged) {
        return;
    }
    if (!rules->privileged) {
        (void)judge_refuse(ret_judgement, rules, RULE_PRIVILEGED,
                           "a privileged exec is not allowed; run it without --privileged");
    } else if (CAPABILITY_ALL & ~rules->capabilities) {
        (void)judge_refuse(
            ret_judgement, rules, RULE_CAPABILITIES,
            "a privileged exec has every capability, and %s are not allowed; run it without --privileged",
            capability_list(CAPABILITY_ALL & ~rules->capabilities, excess, sizeof(excess)));
    }
}

void judge_owner(const char *what, struct judgement *ret_judgement)
{
    *ret_judgement = (struct judgement){0};
    (void)judge_refuse(ret_judgement, rules_builtin(false), RULE_OWNER,
                       "%s: the container belongs to another tenant; each may use its own", what);
}

/* ---- filling in --------------------------------------------------------------------------------- */

static int fill_mounts(const Bulkhead__ContainerSpec *spec, const struct rules *rules, struct filled_spec *filled,
                       struct bh_error *error)
{
    if (spec->n_mounts == 0) {
        return 0;
    }
    filled->mounts = calloc(spec->n_mounts, sizeof(*filled->mounts));
    filled->mount_pointers = calloc(spec->n_mounts, sizeof(Bulkhead__Mount *));
    if (!filled->mounts || !filled->mount_pointers) {
        return bh_error_errno(error, ENOMEM, "hold %zu mounts", spec->n_mounts);
    }
    for (size_t i = 0; i < spec->n_mounts; i++) {
        filled->mounts[i] = *spec->mounts[i];
        filled->mounts[i].must_be_owned =
            rules->mounts_must_be_owned && spec->mounts[i]->kind == BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND;
        filled->mount_pointers[i] = &filled->mounts[i];
    }
    filled->spec.mounts = filled->mount_pointers;
    return 0;
}

/* protobuf-c's strings are not const, though packing only reads them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

int judge_fill(const Bulkhead__ContainerSpec *spec, const struct rules *rules, const struct fill_in *fill_in,
               struct filled_spec *ret_filled, struct bh_error *error)
{
    *ret_filled = (struct filled_spec){.spec = *spec, .resources = *spec->resources};
    Bulkhead__ContainerSpec *filled = &ret_filled->spec;
    filled->resources = &ret_filled->resources;
    judge_fill_resources(rules, filled->resources);
    filled->disk_bytes = spec->disk_bytes ? spec->disk_bytes : rules->quotas.disk_bytes;
    filled->id_base = fill_in->id_base;
    filled->id_count = BH_TENANT_IDS;
    filled->monitor_uid = fill_in->monitor_uid;
    filled->cgroup_parent = ret_filled->cgroup_parent;
    (void)snprintf(ret_filled->cgroup_parent, sizeof(ret_filled->cgroup_parent), "%s%s%s", fill_in->cgroup_parent,
                   spec->wanted_cgroup_parent[0] ? "/" : "", spec->wanted_cgroup_parent);
    filled->identity_binds = spec->tenant_uid == 0;
    bool selinux = !spec->privileged && !spec->no_selinux;
    filled->selinux_label = borrow(selinux ? fill_in->selinux_label : "");
    filled->selinux_mount_label = borrow(selinux ? fill_in->selinux_mount_label : "");
    filled->apparmor_profile = borrow(spec->privileged || spec->no_apparmor ? "" : fill_in->apparmor_profile);
    return fill_mounts(spec, rules, ret_filled, error);
}

void filled_spec_free(struct filled_spec *filled)
{
    free(filled->mounts);
    free(filled->mount_pointers);
    *filled = (struct filled_spec){0};
}
