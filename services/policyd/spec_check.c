/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of a ContainerSpec; see spec_check.h.
 */
#include "spec_check.h"
#include "spec_check_parts.h"

#include <arpa/inet.h>
#include <string.h>

#include "capability_names.h"
#include "common/digest.h"
#include "common/limits.h"

#define LIST_MAX       1024U /* hosts, paths, sysctls and the like: more is no honest container */
#define NAME_BYTES_MAX 255U
#define UNLIMITED      UINT64_MAX

int spec_check_wrong(struct bh_error *error, const char *field, const char *value, const char *wanted)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s \"%.200s\" must be %s", field, value, wanted);
}

bool spec_is_plain(const char *text, size_t n_bytes_max)
{
    size_t n = 0;
    for (; text[n]; n++) {
        if (n == n_bytes_max || (unsigned char)text[n] < 0x20 || text[n] == 0x7f) {
            return false;
        }
    }
    return true;
}

bool spec_is_made_of(const char *text, const char *others, size_t n_bytes_max)
{
    static const char base[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = 0;
    for (; text[n]; n++) {
        if (n == n_bytes_max || (!strchr(base, text[n]) && !strchr(others, text[n]))) {
            return false;
        }
    }
    return n > 0;
}

bool spec_is_volume_name(const char *name)
{
    return name[0] != '.' && name[0] != '_' && name[0] != '-' && spec_is_made_of(name, "_.-", NAME_BYTES_MAX);
}

bool spec_is_clean_path(const char *path)
{
    if (path[0] != '/' || !spec_is_plain(path, BH_PATH_BYTES_MAX)) {
        return false;
    }
    for (const char *part = path + 1; *part;) {
        size_t length = strcspn(part, "/");
        bool dots = (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.');
        bool slash_at_end = part[length] == '/' && part[length + 1] == '\0';
        if (length == 0 || dots || slash_at_end) {
            return false;
        }
        part += length + (part[length] == '/' ? 1 : 0);
    }
    return true;
}

static int check_identity(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (spec->id.len != BH_DIGEST_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container's id has 32 bytes, not %zu", spec->id.len);
    }
    if (spec->tenant_uid == UINT32_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "uid 4294967295 is no tenant");
    }
    if (spec->n_layers > BH_LAYERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu layers; at most %d can be stacked", spec->n_layers,
                            BH_LAYERS_MAX);
    }
    for (size_t i = 0; i < spec->n_layers; i++) {
        if (spec->layers[i].len != BH_DIGEST_BYTES) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "layer %zu: a digest has 32 bytes", i);
        }
    }
    if (!spec_is_plain(spec->image_reference, BH_REFERENCE_BYTES_MAX) ||
        (spec->image_digest.len != 0 && spec->image_digest.len != BH_DIGEST_BYTES)) {
        return spec_check_wrong(error, "image reference", spec->image_reference,
                                "one line, with a digest of 32 bytes or none");
    }
    return 0;
}

/* What only policyd sets must not have been set by whoever asks. */
static int check_reserved(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    bool set = spec->id_base || spec->id_count || spec->monitor_uid || spec->cgroup_parent[0] || spec->identity_binds ||
               spec->selinux_label[0] || spec->selinux_mount_label[0] || spec->apparmor_profile[0];
    for (size_t i = 0; i < spec->n_mounts; i++) {
        set = set || spec->mounts[i]->must_be_owned;
    }
    return set ? bh_error_set(error, BH_INVALID_ARGUMENT,
                              "ids, cgroup parent, labels and the ownership of mounts are policyd's to fill in; leave "
                              "them empty")
               : 0;
}

int spec_check_process(const Bulkhead__Process *process, struct bh_error *error)
{
    if (!process || process->n_args == 0 || process->n_args > BH_ARGV_MAX || process->n_env > BH_ENV_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a container needs a program, and at most %d arguments and %d variables", BH_ARGV_MAX,
                            BH_ENV_MAX);
    }
    for (size_t i = 0; i < process->n_env; i++) {
        if (process->env[i][0] == '\0' || process->env[i][0] == '=') {
            return spec_check_wrong(error, "environment entry", process->env[i], "NAME=value");
        }
    }
    if (process->cwd[0] && (process->cwd[0] != '/' || strlen(process->cwd) > BH_PATH_BYTES_MAX)) {
        return spec_check_wrong(error, "working directory", process->cwd, "an absolute path");
    }
    if (!spec_is_plain(process->user, NAME_BYTES_MAX)) {
        return spec_check_wrong(error, "user", process->user, "a name or number, with :group if wanted");
    }
    if (process->n_groups > LIST_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu groups; at most %u", process->n_groups, LIST_MAX);
    }
    for (size_t i = 0; i < process->n_groups; i++) {
        if (!spec_is_plain(process->groups[i], NAME_BYTES_MAX) || !process->groups[i][0]) {
            return spec_check_wrong(error, "group", process->groups[i], "a name or number");
        }
    }
    if (process->tty_rows > UINT16_MAX || process->tty_columns > UINT16_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a terminal has at most 65535 rows and columns");
    }
    return 0;
}

/* "" or "a/b": relative, without . and .. */
static bool is_clean_subpath(const char *path)
{
    char rooted[BH_PATH_BYTES_MAX + 2] = "/";
    return path[0] == '\0' || (path[0] != '/' && strlen(path) < BH_PATH_BYTES_MAX &&
                               memccpy(rooted + 1, path, '\0', sizeof(rooted) - 1) && spec_is_clean_path(rooted));
}

static int check_volume_mount(const Bulkhead__Mount *mount, struct bh_error *error)
{
    if (mount->volume.len != BH_DIGEST_BYTES || mount->source[0] || !spec_is_volume_name(mount->volume_name)) {
        return spec_check_wrong(error, "volume at", mount->target, "named by an id of 32 bytes and its name");
    }
    return is_clean_subpath(mount->subpath) && mount->tmpfs_mode <= 07777
               ? 0
               : spec_check_wrong(error, "volume subpath", mount->subpath, "a relative path without . or ..");
}

/* What only requests carry: the client's own words, which the executor is not to see. */
static int check_no_wishes(const Bulkhead__Mount *mount, struct bh_error *error)
{
    return mount->mode_text[0] || mount->volume_driver[0] || mount->tmpfs_text[0] || mount->n_volume_labels ||
                   mount->n_volume_options || mount->from_mounts
               ? spec_check_wrong(error, "mount at", mount->target, "without the words of the request it came from")
               : 0;
}

static int check_mount(const Bulkhead__Mount *mount, struct bh_error *error)
{
    if (!spec_is_clean_path(mount->target) || strcmp(mount->target, "/") == 0) {
        return spec_check_wrong(error, "mount target", mount->target, "an absolute path below / without . or ..");
    }
    if (check_no_wishes(mount, error) < 0) {
        return -1;
    }
    switch (mount->kind) {
    case BULKHEAD__MOUNT_KIND__MOUNT_KIND_BIND:
        return spec_is_clean_path(mount->source)
                   ? 0
                   : spec_check_wrong(error, "mount source", mount->source, "an absolute path without . or ..");
    case BULKHEAD__MOUNT_KIND__MOUNT_KIND_TMPFS:
        return mount->source[0] == '\0' && mount->tmpfs_mode <= 07777
                   ? 0
                   : spec_check_wrong(error, "tmpfs at", mount->target, "without a source and of a mode up to 7777");
    case BULKHEAD__MOUNT_KIND__MOUNT_KIND_VOLUME:
        return check_volume_mount(mount, error);
    default:
        return spec_check_wrong(error, "mount at", mount->target, "a bind, a tmpfs or a volume");
    }
}

static bool is_cpu_list(const char *text)
{
    return text[0] == '\0' || (strlen(text) <= NAME_BYTES_MAX && strspn(text, "0123456789,-") == strlen(text));
}

int spec_check_resources(const Bulkhead__Resources *resources, struct bh_error *error)
{
    if (!resources) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "resources are missing");
    }
    if (!is_cpu_list(resources->cpuset_cpus) || !is_cpu_list(resources->cpuset_mems)) {
        return spec_check_wrong(error, "cpuset", resources->cpuset_cpus, "a list like 0-3,7");
    }
    if (resources->cpu_period_us && (resources->cpu_period_us < 1000 || resources->cpu_period_us > 1000000)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a cpu period of %llu us must be between 1000 and 1000000",
                            (unsigned long long)resources->cpu_period_us);
    }
    if (resources->cpu_quota_us && resources->cpu_quota_us != UNLIMITED && resources->cpu_quota_us < 1000) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a cpu quota of %llu us must be at least 1000",
                            (unsigned long long)resources->cpu_quota_us);
    }
    if (resources->memory_swappiness > 100 || (resources->memory_swappiness && !resources->memory_swappiness_set)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a memory swappiness of %u must be between 0 and 100",
                            resources->memory_swappiness);
    }
    if (spec_check_device_limits(resources->weights, resources->n_weights, error) < 0 ||
        spec_check_device_limits(resources->read_bytes, resources->n_read_bytes, error) < 0 ||
        spec_check_device_limits(resources->write_bytes, resources->n_write_bytes, error) < 0 ||
        spec_check_device_limits(resources->read_operations, resources->n_read_operations, error) < 0 ||
        spec_check_device_limits(resources->write_operations, resources->n_write_operations, error) < 0) {
        return -1;
    }
    if (resources->blkio_weight > 1000 || (resources->blkio_weight && resources->blkio_weight < 10)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a blkio weight of %u must be between 10 and 1000",
                            resources->blkio_weight);
    }
    return 0;
}

static int check_limits(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    static const char *const known[] = {"as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
                                        "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
    unsigned int seen = 0;
    for (size_t i = 0; i < spec->n_limits; i++) {
        const Bulkhead__ResourceLimit *limit = spec->limits[i];
        size_t k = 0;
        while (k < sizeof(known) / sizeof(known[0]) && strcmp(known[k], limit->name) != 0) {
            k++;
        }
        if (k == sizeof(known) / sizeof(known[0]) || (seen & (1U << k))) {
            return spec_check_wrong(error, "limit", limit->name, "one of setrlimit(2)'s, without RLIMIT_, once");
        }
        seen |= 1U << k;
        if (limit->soft > limit->hard) {
            return spec_check_wrong(error, "limit", limit->name, "no higher than its hard limit");
        }
    }
    return 0;
}

static int check_paths(char *const *paths, size_t n_paths, const char *what, struct bh_error *error)
{
    if (n_paths > LIST_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu %ss; at most %u", n_paths, what, LIST_MAX);
    }
    for (size_t i = 0; i < n_paths; i++) {
        if (!spec_is_clean_path(paths[i])) {
            return spec_check_wrong(error, what, paths[i], "an absolute path without . or ..");
        }
    }
    return 0;
}

/* Only what the kernel keeps per namespace may be set, and only if the container has that namespace to itself. */
static int check_sysctl(const Bulkhead__ContainerSpec *spec, const Bulkhead__KeyValue *sysctl, struct bh_error *error)
{
    const char *key = sysctl->key;
    bool net = strncmp(key, "net.", 4) == 0;
    bool ipc = strncmp(key, "kernel.shm", 10) == 0 || strncmp(key, "kernel.msg", 10) == 0 ||
               strcmp(key, "kernel.sem") == 0 || strncmp(key, "fs.mqueue.", 10) == 0;
    if ((!net && !ipc) || !spec_is_made_of(key, "._-", NAME_BYTES_MAX) || strstr(key, "..") ||
        key[strlen(key) - 1] == '.') {
        return spec_check_wrong(
            error, "sysctl", key,
            "namespaced: net.*, kernel.shm*, kernel.msg*, kernel.sem or fs.mqueue.*, with dots between its parts");
    }
    if ((net && spec->network != BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE &&
         spec->network != BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED) ||
        (ipc && (spec->host_ipc || spec->join_ipc.len))) {
        return spec_check_wrong(error, "sysctl", key,
                                "left alone: the container does not have that namespace to itself");
    }
    return spec_is_plain(sysctl->value, NAME_BYTES_MAX) ? 0
                                                        : spec_check_wrong(error, "value of sysctl", key, "one line");
}

static int check_names(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if ((spec->host_name[0] && !spec_is_made_of(spec->host_name, ".-_", 64)) ||
        (spec->domain_name[0] && !spec_is_made_of(spec->domain_name, ".-_", 64))) {
        return spec_check_wrong(error, "host name", spec->host_name,
                                "of letters, digits, dots and hyphens, at most 64");
    }
    size_t most =
        spec->n_extra_hosts | spec->n_dns_servers | spec->n_dns_search | spec->n_dns_options | spec->n_sysctls;
    if (most > LIST_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %u hosts, name servers or sysctls", LIST_MAX);
    }
    struct in6_addr address;
    for (size_t i = 0; i < spec->n_dns_servers; i++) {
        if (inet_pton(AF_INET, spec->dns_servers[i], &address) != 1 &&
            inet_pton(AF_INET6, spec->dns_servers[i], &address) != 1) {
            return spec_check_wrong(error, "name server", spec->dns_servers[i], "an IP address");
        }
    }
    for (size_t i = 0; i < spec->n_extra_hosts; i++) {
        const char *colon = strchr(spec->extra_hosts[i], ':');
        if (!spec_is_plain(spec->extra_hosts[i], 2 * NAME_BYTES_MAX) || !colon || colon == spec->extra_hosts[i] ||
            !colon[1]) {
            return spec_check_wrong(error, "extra host", spec->extra_hosts[i], "name:address");
        }
    }
    for (size_t i = 0; i < spec->n_dns_search; i++) {
        if (!spec_is_made_of(spec->dns_search[i], ".-_", NAME_BYTES_MAX)) {
            return spec_check_wrong(error, "search domain", spec->dns_search[i], "a domain name");
        }
    }
    for (size_t i = 0; i < spec->n_dns_options; i++) {
        if (!spec_is_made_of(spec->dns_options[i], ".-_:", NAME_BYTES_MAX)) {
            return spec_check_wrong(error, "resolver option", spec->dns_options[i], "one of resolv.conf(5)'s");
        }
    }
    for (size_t i = 0; i < spec->n_sysctls; i++) {
        if (check_sysctl(spec, spec->sysctls[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int check_log(const Bulkhead__LogOptions *log, struct bh_error *error)
{
    if (!log || log->driver == BULKHEAD__LOG_DRIVER__LOG_DRIVER_UNSPECIFIED) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container without a log driver; \"none\" is one too");
    }
    if (log->max_files > BH_LOG_FILES_MAX || log->n_attributes > BH_LOG_ATTRIBUTES_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%u log files and %zu attributes; at most %d and %d",
                            log->max_files, log->n_attributes, BH_LOG_FILES_MAX, BH_LOG_ATTRIBUTES_MAX);
    }
    if (!spec_is_plain(log->tag, NAME_BYTES_MAX) || !spec_is_plain(log->container_name, NAME_BYTES_MAX)) {
        return spec_check_wrong(error, "log tag", log->tag, "one line of at most 255 bytes");
    }
    return 0;
}

static int check_seccomp(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    bool profile = spec->seccomp == BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE;
    if (profile != (spec->seccomp_profile.len > 0)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "a seccomp profile comes with seccomp mode PROFILE and with no other");
    }
    if (!profile) {
        return 0;
    }
    Bulkhead__SeccompProfile *unpacked =
        bulkhead__seccomp_profile__unpack(NULL, spec->seccomp_profile.len, spec->seccomp_profile.data);
    if (!unpacked) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the seccomp profile cannot be read");
    }
    bulkhead__seccomp_profile__free_unpacked(unpacked, NULL);
    return 0;
}

/* Links and ports belong to a network of the container's own that is linked to others. */
static int check_network_mode(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    bool linked = spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    if (spec->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_UNSPECIFIED) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "a container without a network mode; \"none\" is one too");
    }
    if (linked != (spec->attachment != NULL)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "links to networks and published ports come with network mode LINKED and with no other");
    }
    return linked ? spec_check_attachment(spec->attachment, error) : 0;
}

int spec_check(const Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (!spec) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "the container's description is missing");
    }
    if (check_identity(spec, error) < 0 || check_reserved(spec, error) < 0 ||
        spec_check_process(spec->process, error) < 0 || check_names(spec, error) < 0 ||
        check_seccomp(spec, error) < 0 || spec_check_devices(spec, error) < 0 || spec_check_shared(spec, error) < 0 ||
        spec_check_cgroup_parent(spec->wanted_cgroup_parent, error) < 0 || check_limits(spec, error) < 0 ||
        spec_check_resources(spec->resources, error) < 0 ||
        check_paths(spec->masked_paths, spec->n_masked_paths, "masked path", error) < 0 ||
        check_paths(spec->read_only_paths, spec->n_read_only_paths, "read-only path", error) < 0) {
        return -1;
    }
    if (spec->n_mounts > BH_MOUNTS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu mounts; at most %d", spec->n_mounts, BH_MOUNTS_MAX);
    }
    for (size_t i = 0; i < spec->n_mounts; i++) {
        if (check_mount(spec->mounts[i], error) < 0) {
            return -1;
        }
    }
    if (spec->capabilities & ~CAPABILITY_ALL) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "capabilities %#llx hold some that do not exist; at most %#llx",
                            (unsigned long long)spec->capabilities, (unsigned long long)CAPABILITY_ALL);
    }
    if (spec->oom_score_adjust < -1000 || spec->oom_score_adjust > 1000) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "an OOM score of %d must be between -1000 and 1000",
                            spec->oom_score_adjust);
    }
    if (check_log(spec->log, error) < 0) {
        return -1;
    }
    return check_network_mode(spec, error);
}
