/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding and checking a container's description; see spec.h.
 */
#include "spec.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "journal_fields.h"
#include "spec_parts.h"
#include "text.h"

#define ID_BASE_MIN        65536U /* below are the host's own users */
#define HOST_NAME_MAX_TEXT 64
#define USER_BYTES_MAX     256
#define LABEL_BYTES_MAX    255
#define PATHS_MAX          256
#define SHM_DEFAULT_BYTES  (64 * BH_MIB) /* Docker's */

static int refuse(struct bh_error *error, const char *what, const char *right)
{
    return bh_error_set(error, BH_INVALID_ARGUMENT, "%s must be %s", what, right);
}

/* ---- identity ----------------------------------------------------------------------------------- */

static int decode_identity(const Bulkhead__ContainerSpec *message, const char *cgroup_parent,
                           struct container_spec *spec, struct bh_error *error)
{
    struct bh_digest id;
    if (bh_digest_from_bytes(message->id.data, message->id.len, &id, error) < 0) {
        return bh_error_wrap(error, "container id");
    }
    memcpy(spec->id, id.bytes, sizeof(spec->id));
    (void)bh_digest_hex(&id, spec->name);
    spec->tenant_uid = message->tenant_uid;
    spec->id_base = message->id_base;
    spec->id_count = message->id_count;
    spec->monitor_uid = message->monitor_uid;
    uint32_t end;
    if (message->id_count != BH_TENANT_IDS || message->id_base < ID_BASE_MIN ||
        __builtin_add_overflow(message->id_base, message->id_count, &end)) {
        return refuse(error, "the tenant's id range", "65536 ids from 65536 up");
    }
    bool inside_range = message->monitor_uid >= message->id_base && message->monitor_uid < end;
    if (message->tenant_uid == UINT32_MAX || message->monitor_uid == 0 || message->monitor_uid == UINT32_MAX ||
        inside_range) {
        return refuse(error, "the monitor's uid", "neither root's nor one of the container's");
    }
    size_t length = strlen(cgroup_parent);
    spec->cgroup_parent = message->cgroup_parent;
    if (!text_is_cgroup_path(message->cgroup_parent) || strncmp(message->cgroup_parent, cgroup_parent, length) != 0 ||
        (message->cgroup_parent[length] != '\0' && message->cgroup_parent[length] != '/')) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cgroup parent \"%s\" must be \"%s\" or below it",
                            message->cgroup_parent, cgroup_parent);
    }
    spec->selinux_label = message->selinux_label;
    spec->selinux_mount_label = message->selinux_mount_label;
    spec->apparmor_profile = message->apparmor_profile;
    spec->identity_binds = message->identity_binds;
    if ((*spec->selinux_label && !text_is_made_of(spec->selinux_label, ":._,-", LABEL_BYTES_MAX)) ||
        (*spec->selinux_mount_label && !text_is_made_of(spec->selinux_mount_label, ":._,-", LABEL_BYTES_MAX)) ||
        (*spec->apparmor_profile && !text_is_made_of(spec->apparmor_profile, ":._/-", LABEL_BYTES_MAX))) {
        return refuse(error, "a security label", "made of letters, digits and :._,-");
    }
    return 0;
}

static int decode_layers(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->layers = calloc(message->n_layers + 1, sizeof(spec->layers[0]));
    if (!spec->layers || message->n_layers > BH_LAYERS_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu layers are more than %d", message->n_layers,
                            BH_LAYERS_MAX);
    }
    for (; spec->n_layers < message->n_layers; spec->n_layers++) {
        const ProtobufCBinaryData *digest = &message->layers[spec->n_layers];
        if (bh_digest_from_bytes(digest->data, digest->len, &spec->layers[spec->n_layers], error) < 0) {
            return bh_error_wrap(error, "layer %zu", spec->n_layers);
        }
    }
    return 0;
}

/* ---- the process -------------------------------------------------------------------------------- */

static int decode_process(const Bulkhead__Process *process, struct container_spec *spec, struct bh_error *error)
{
    if (!process || process->n_args == 0 || process->n_args > BH_ARGV_MAX) {
        return refuse(error, "the command", "1 to 4096 words");
    }
    spec->args = (struct spec_text_list){process->args, process->n_args};
    spec->env = (struct spec_text_list){process->env, process->n_env};
    if (process->n_env > BH_ENV_MAX) {
        return refuse(error, "the environment", "at most 4096 entries");
    }
    for (size_t i = 0; i < process->n_env; i++) {
        const char *equals = strchr(process->env[i], '=');
        if (!equals || equals == process->env[i]) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "environment entry \"%s\" must be NAME=value",
                                process->env[i]);
        }
    }
    spec->cwd = *process->cwd ? process->cwd : "/";
    if (spec->cwd[0] != '/' || !text_is_one_line(spec->cwd, BH_PATH_BYTES_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "working directory \"%s\" must be an absolute path", spec->cwd);
    }
    spec->user = process->user;
    spec->groups = (struct spec_text_list){process->groups, process->n_groups};
    if (!text_is_one_line(process->user, USER_BYTES_MAX) || process->n_groups > 256) {
        return refuse(error, "user and groups", "at most 256 bytes, 256 groups");
    }
    for (size_t i = 0; i < process->n_groups; i++) {
        if (!*process->groups[i] || !text_is_one_line(process->groups[i], USER_BYTES_MAX)) {
            return refuse(error, "a group to add", "1 to 256 bytes");
        }
    }
    if (process->tty_rows > UINT16_MAX || process->tty_columns > UINT16_MAX) {
        return refuse(error, "the terminal's size", "at most 65535 rows and columns");
    }
    spec->tty = process->tty;
    spec->open_stdin = process->open_stdin;
    spec->stdin_once = process->stdin_once;
    spec->tty_rows = (uint16_t)process->tty_rows;
    spec->tty_columns = (uint16_t)process->tty_columns;
    return 0;
}

int spec_decode_joining(const Bulkhead__Process *message, struct container_spec *spec, struct bh_error *error)
{
    const struct spec_text_list groups = spec->groups;
    if (message && message->n_groups > 0) {
        return refuse(error, "the groups of a process that joins", "its container's");
    }
    if (decode_process(message, spec, error) < 0) {
        return -1;
    }
    spec->groups = groups;
    return 0;
}

/* ---- paths ---------------------------------------------------------------------------------- */

static int decode_paths(char *const *items, size_t n, struct spec_text_list *ret_list, struct bh_error *error)
{
    *ret_list = (struct spec_text_list){items, n};
    for (size_t i = 0; i < n || n > PATHS_MAX; i++) {
        if (n > PATHS_MAX || !text_is_path(items[i])) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "masked and read-only paths must be at most 256 absolute paths without ..");
        }
    }
    return 0;
}

/* ---- names and addresses ------------------------------------------------------------------------- */

static int decode_dns(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->extra_hosts = (struct spec_text_list){message->extra_hosts, message->n_extra_hosts};
    spec->dns_servers = (struct spec_text_list){message->dns_servers, message->n_dns_servers};
    spec->dns_search = (struct spec_text_list){message->dns_search, message->n_dns_search};
    spec->dns_options = (struct spec_text_list){message->dns_options, message->n_dns_options};
    for (size_t i = 0; i < message->n_extra_hosts; i++) {
        char name[256];
        const char *colon = strchr(message->extra_hosts[i], ':');
        size_t length = colon ? (size_t)(colon - message->extra_hosts[i]) : sizeof(name);
        if (length >= sizeof(name)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "extra host \"%s\" must be name:address",
                                message->extra_hosts[i]);
        }
        memcpy(name, message->extra_hosts[i], length);
        name[length] = '\0';
        if (!text_is_made_of(name, "._-", 253) || !text_is_address(colon + 1)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "extra host \"%s\" must be name:address",
                                message->extra_hosts[i]);
        }
    }
    for (size_t i = 0; i < message->n_dns_servers; i++) {
        if (!text_is_address(message->dns_servers[i])) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "DNS server \"%s\" must be an address",
                                message->dns_servers[i]);
        }
    }
    for (size_t i = 0; i < message->n_dns_search; i++) {
        if (!text_is_made_of(message->dns_search[i], "._-", 253)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "DNS search domain \"%s\" must be a domain",
                                message->dns_search[i]);
        }
    }
    for (size_t i = 0; i < message->n_dns_options; i++) {
        if (!text_is_made_of(message->dns_options[i], ":._-", 64)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "DNS option \"%s\" must be one of resolv.conf(5)'s",
                                message->dns_options[i]);
        }
    }
    return 0;
}

static int decode_host_name(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->host_name = message->host_name;
    spec->domain_name = message->domain_name;
    bool name_fits =
        text_is_made_of(spec->host_name, "._-", HOST_NAME_MAX_TEXT) || (message->host_uts && !*spec->host_name);
    if (!name_fits || (*spec->domain_name && !text_is_made_of(spec->domain_name, "._-", HOST_NAME_MAX_TEXT))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "host name \"%s.%s\" must be letters, digits, . and -, at most 64", spec->host_name,
                            spec->domain_name);
    }
    return 0;
}

/* ---- confinement --------------------------------------------------------------------------------- */

static int decode_seccomp(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    switch (message->seccomp) {
    case BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT:
        spec->seccomp = SPEC_SECCOMP_DEFAULT;
        break;
    case BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED:
        spec->seccomp = SPEC_SECCOMP_UNCONFINED;
        break;
    case BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE:
        spec->seccomp = SPEC_SECCOMP_PROFILE;
        spec->profile =
            bulkhead__seccomp_profile__unpack(NULL, message->seccomp_profile.len, message->seccomp_profile.data);
        return spec->profile ? 0 : refuse(error, "the seccomp profile", "a packed SeccompProfile");
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "seccomp mode %d is unknown", (int)message->seccomp);
    }
    return message->seccomp_profile.len == 0 ? 0 : refuse(error, "the seccomp profile", "absent in this mode");
}

static int decode_confinement(const Bulkhead__ContainerSpec *message, struct container_spec *spec,
                              struct bh_error *error)
{
    switch (message->network) {
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_NONE:
        spec->network = SPEC_NETWORK_NONE;
        break;
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST:
        spec->network = SPEC_NETWORK_HOST;
        break;
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_JOINED:
        spec->network = SPEC_NETWORK_JOINED;
        break;
    case BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED:
        spec->network = SPEC_NETWORK_LINKED;
        break;
    default:
        return bh_error_set(error, BH_INVALID_ARGUMENT, "network mode %d is unknown", (int)message->network);
    }
    spec->host_pid = message->host_pid;
    spec->host_ipc = message->host_ipc;
    spec->host_uts = message->host_uts;
    spec->init = message->init;
    spec->ephemeral = message->ephemeral;
    spec->read_only_root = message->read_only_root;
    spec->no_new_privileges = message->no_new_privileges;
    spec->capabilities = message->capabilities;
    spec->oom_score_adjust = message->oom_score_adjust;
    spec->disk_bytes = message->disk_bytes;
    spec->shm_bytes = message->shm_bytes ? message->shm_bytes : SHM_DEFAULT_BYTES;
    if (message->capabilities >> (CAP_LAST_CAP + 1)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "capabilities %#llx name more than there are",
                            (unsigned long long)message->capabilities);
    }
    if (message->oom_score_adjust < -1000 || message->oom_score_adjust > 1000) {
        return refuse(error, "the OOM score adjustment", "between -1000 and 1000");
    }
    if (spec->shm_bytes > INT64_MAX) {
        return refuse(error, "the size of /dev/shm", "below 2^63");
    }
    return decode_seccomp(message, spec, error);
}

static int decode_log(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    const Bulkhead__LogOptions *log = message->log;
    if (!log || log->driver == BULKHEAD__LOG_DRIVER__LOG_DRIVER_UNSPECIFIED) {
        return refuse(error, "the log driver", "given");
    }
    spec->log_driver = (enum bh_log_driver)log->driver; /* of a known value: the channel refuses all others */
    spec->log_max_bytes = log->max_bytes;
    spec->log_max_files = log->max_files;
    spec->log_compress = log->compress;
    if (log->max_files > BH_LOG_FILES_MAX) {
        return refuse(error, "the number of log files", "at most 14");
    }
    return spec->log_driver == BH_LOG_DRIVER_JOURNALD
               ? journal_fields_make(message, &spec->journal_fields, &spec->n_journal_fields, error)
               : 0;
}

static int decode(const Bulkhead__ContainerSpec *message, const char *cgroup_parent, struct container_spec *spec,
                  struct bh_error *error)
{
    if (decode_identity(message, cgroup_parent, spec, error) < 0 || decode_layers(message, spec, error) < 0 ||
        decode_process(message->process, spec, error) < 0 || spec_decode_mounts(message, spec, error) < 0 ||
        decode_paths(message->masked_paths, message->n_masked_paths, &spec->masked_paths, error) < 0 ||
        decode_paths(message->read_only_paths, message->n_read_only_paths, &spec->read_only_paths, error) < 0 ||
        decode_host_name(message, spec, error) < 0 || decode_dns(message, spec, error) < 0 ||
        decode_confinement(message, spec, error) < 0 || spec_decode_attachment(message, spec, error) < 0 ||
        spec_decode_shared(message, spec, error) < 0 || spec_decode_devices(message, spec, error) < 0 ||
        spec_decode_resources(message->resources, &spec->resources, error) < 0 ||
        spec_decode_limits(message, spec, error) < 0 || spec_decode_sysctls(message, spec, error) < 0) {
        return -1;
    }
    return decode_log(message, spec, error);
}

int spec_decode(const Bulkhead__ContainerSpec *message, const char *cgroup_parent, struct container_spec **ret_spec,
                struct bh_error *error)
{
    if (!message) {
        return refuse(error, "the request", "complete: it has no spec");
    }
    __attribute__((cleanup(spec_cleanup))) struct container_spec *spec = calloc(1, sizeof(*spec));
    if (!spec) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a container's spec");
    }
    if (decode(message, cgroup_parent, spec, error) < 0) {
        return -1;
    }
    *ret_spec = spec;
    spec = NULL;
    return 0;
}

void spec_free(struct container_spec *spec)
{
    if (!spec) {
        return;
    }
    free(spec->layers);
    free(spec->mounts);
    free(spec->limits);
    free(spec->sysctls);
    free(spec->journal_fields);
    free(spec->devices);
    free(spec->device_rules);
    if (spec->profile) {
        bulkhead__seccomp_profile__free_unpacked(spec->profile, NULL);
    }
    free(spec);
}

void spec_cleanup(struct container_spec **spec)
{
    spec_free(*spec);
}
