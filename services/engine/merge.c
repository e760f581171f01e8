/* SPDX-License-Identifier: Apache-2.0
 *
 * ImageConfig + ContainerRequest + facts -> ContainerSpec; see merge.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "services/engine/merge.h"
#include "common/fields.h"
#include "services/engine/log_options.h"

#define DEFAULT_PATH      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_SHM_BYTES (64 * BH_MIB)
#define SHORT_ID_DIGITS   12

#define CAP(name) (1ULL << (name))
#define DEFAULT_CAPABILITIES                                                                                           \
    (CAP(CAP_CHOWN) | CAP(CAP_DAC_OVERRIDE) | CAP(CAP_FSETID) | CAP(CAP_FOWNER) | CAP(CAP_MKNOD) | CAP(CAP_NET_RAW) |  \
     CAP(CAP_SETGID) | CAP(CAP_SETUID) | CAP(CAP_SETFCAP) | CAP(CAP_SETPCAP) | CAP(CAP_NET_BIND_SERVICE) |             \
     CAP(CAP_SYS_CHROOT) | CAP(CAP_KILL) | CAP(CAP_AUDIT_WRITE))

/* Docker 28's lists. */
static const char *const default_masked_paths[] = {
    "/proc/asound",      "/proc/acpi",          "/proc/interrupts", "/proc/kcore",
    "/proc/keys",        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
    "/proc/sched_debug", "/proc/scsi",          "/sys/firmware",    "/sys/devices/virtual/powercap",
};
static const char *const default_read_only_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void free_spec(Bulkhead__ContainerSpec **spec)
{
    if (*spec) {
        bulkhead__container_spec__free_unpacked(*spec, NULL);
    }
}

/* ---- the process ------------------------------------------------------------------------------- */

/* Docker: an entrypoint of the client's takes the image's command away; [""] means none at all. */
static int merge_arguments(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                           Bulkhead__Process *process, struct bh_error *error)
{
    bool emptied = request->n_entrypoint == 1 && request->entrypoint[0][0] == '\0';
    bool own_entrypoint = request->entrypoint_set || request->n_entrypoint > 0;
    char *const *entrypoint = own_entrypoint ? request->entrypoint : image->entrypoint;
    size_t n_entrypoint = own_entrypoint ? request->n_entrypoint : image->n_entrypoint;
    bool image_command = request->n_cmd == 0 && request->n_entrypoint == 0;
    if (emptied) {
        n_entrypoint = 0;
    }
    if (strings_append_all(&process->args, &process->n_args, entrypoint, n_entrypoint, error) < 0 ||
        strings_append_all(&process->args, &process->n_args, image_command ? image->cmd : request->cmd,
                           image_command ? image->n_cmd : request->n_cmd, error) < 0) {
        return -1;
    }
    if (process->n_args == 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "no command specified");
    }
    if (process->n_args > BH_ARGV_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu arguments are too many: at most %d", process->n_args,
                            BH_ARGV_MAX);
    }
    return 0;
}

static size_t key_length(const char *variable)
{
    return strcspn(variable, "=");
}

static bool same_key(const char *a, const char *b)
{
    size_t length = key_length(a);
    return length == key_length(b) && strncmp(a, b, length) == 0;
}

/* Sets NAME=value, replacing an earlier one in its place; NAME alone takes the variable away. */
static int set_variable(Bulkhead__Process *process, const char *variable, struct bh_error *error)
{
    bool removes = !strchr(variable, '=');
    for (size_t i = 0; i < process->n_env; i++) {
        if (!same_key(process->env[i], variable)) {
            continue;
        }
        if (!removes) {
            return string_set(&process->env[i], variable, error);
        }
        free(process->env[i]);
        memmove(&process->env[i], &process->env[i + 1], (process->n_env - i - 1) * sizeof *process->env);
        process->n_env--;
        return 0;
    }
    if (process->n_env >= BH_ENV_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "more than %d environment variables", BH_ENV_MAX);
    }
    return removes ? 0 : strings_append(&process->env, &process->n_env, variable, error);
}

static bool names_variable(char *const *env, size_t n_env, const char *variable)
{
    for (size_t i = 0; i < n_env; i++) {
        if (same_key(env[i], variable)) {
            return true;
        }
    }
    return false;
}

static int merge_environment(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                             const char *host_name, Bulkhead__Process *process, struct bh_error *error)
{
    char host[BH_PATH_BYTES_MAX];
    (void)snprintf(host, sizeof host, "HOSTNAME=%s", host_name);
    if (set_variable(process, DEFAULT_PATH, error) < 0 || set_variable(process, host, error) < 0 ||
        (request->tty && set_variable(process, "TERM=xterm", error) < 0)) {
        return -1;
    }
    for (size_t i = 0; i < request->n_env; i++) {
        if (request->env[i][0] == '=' || request->env[i][0] == '\0') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid environment variable: \"%s\": it needs a name",
                                request->env[i]);
        }
        if (set_variable(process, request->env[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < image->n_env; i++) {
        if (image->env[i][0] != '=' && strchr(image->env[i], '=') &&
            !names_variable(request->env, request->n_env, image->env[i]) &&
            set_variable(process, image->env[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int merge_working_directory(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                                   Bulkhead__Process *process, struct bh_error *error)
{
    if (request->working_dir[0] && request->working_dir[0] != '/') {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "the working directory '%s' is invalid, it needs to be an absolute path",
                            request->working_dir);
    }
    const char *chosen = request->working_dir[0] ? request->working_dir : image->working_dir;
    bh_autofree char *rooted = NULL;
    if (chosen[0] != '/' && asprintf(&rooted, "/%s", chosen) < 0) {
        rooted = NULL;
        return bh_error_errno(error, ENOMEM, "copy a string");
    }
    return string_set(&process->cwd, rooted ? rooted : chosen, error);
}

static int merge_process(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                         Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__Process *process = malloc(sizeof *process);
    if (!process) {
        return bh_error_errno(error, ENOMEM, "describe a process");
    }
    bulkhead__process__init(process);
    spec->process = process;
    process->tty = request->tty;
    process->open_stdin = request->open_stdin;
    process->stdin_once = request->stdin_once;
    process->tty_rows = request->tty_rows;
    process->tty_columns = request->tty_columns;
    if (merge_arguments(image, request, process, error) < 0 ||
        merge_environment(image, request, spec->host_name, process, error) < 0 ||
        merge_working_directory(image, request, process, error) < 0 ||
        string_set(&process->user, request->user[0] ? request->user : image->user, error) < 0) {
        return -1;
    }
    return strings_append_all(&process->groups, &process->n_groups, request->group_add, request->n_group_add, error);
}

/* ---- what it may do ---------------------------------------------------------------------------- */

static int capability_mask(char *const *names, size_t n_names, uint64_t *ret_mask, bool *ret_all,
                           struct bh_error *error)
{
    *ret_mask = 0;
    *ret_all = false;
    for (size_t i = 0; i < n_names; i++) {
        cap_value_t value;
        if (strcmp(names[i], "ALL") == 0) {
            *ret_all = true;
        } else if (cap_from_name(names[i], &value) < 0 || value < 0 || value > 40) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "invalid capability: \"%s\": see capabilities(7) for their names", names[i]);
        } else {
            *ret_mask |= 1ULL << value;
        }
    }
    return 0;
}

int merge_capabilities(char *const *add, size_t n_add, char *const *drop, size_t n_drop, uint64_t *ret_mask,
                       struct bh_error *error)
{
    uint64_t added, dropped;
    bool add_all, drop_all;
    if (capability_mask(add, n_add, &added, &add_all, error) < 0 ||
        capability_mask(drop, n_drop, &dropped, &drop_all, error) < 0) {
        return -1;
    }
    if (add_all) {
        *ret_mask = MERGE_ALL_CAPABILITIES & ~dropped;
    } else if (drop_all) {
        *ret_mask = added;
    } else {
        *ret_mask = (DEFAULT_CAPABILITIES & ~dropped) | added;
    }
    return 0;
}

/* The client's own word, if it said one: "no-new-privileges", "no-new-privileges=false", Docker's older ":true". */
static bool wants_no_new_privileges(const Bulkhead__ContainerRequest *request)
{
    static const char option[] = "no-new-privileges";
    bool wanted = !request->privileged;
    for (size_t i = 0; i < request->n_security_opt; i++) {
        const char *text = request->security_opt[i];
        if (strncmp(text, option, sizeof option - 1) == 0) {
            const char *value = text + sizeof option - 1;
            wanted = !(value[0] && (strcmp(value + 1, "false") == 0 || strcmp(value + 1, "0") == 0));
        }
    }
    return wanted;
}

static int merge_paths(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (request->masked_paths_set) {
        return strings_append_all(&spec->masked_paths, &spec->n_masked_paths, request->masked_paths,
                                  request->n_masked_paths, error) < 0 ||
                       strings_append_all(&spec->read_only_paths, &spec->n_read_only_paths, request->read_only_paths,
                                          request->n_read_only_paths, error) < 0
                   ? -1
                   : 0;
    }
    if (request->privileged) {
        return 0;
    }
    for (size_t i = 0; i < sizeof default_masked_paths / sizeof *default_masked_paths; i++) {
        if (strings_append(&spec->masked_paths, &spec->n_masked_paths, default_masked_paths[i], error) < 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < sizeof default_read_only_paths / sizeof *default_read_only_paths; i++) {
        if (strings_append(&spec->read_only_paths, &spec->n_read_only_paths, default_read_only_paths[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int merge_rights(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec,
                        struct bh_error *error)
{
    spec->privileged = request->privileged;
    spec->read_only_root = request->read_only_root;
    spec->no_new_privileges = wants_no_new_privileges(request);
    spec->host_pid = strcmp(request->pid_mode, "host") == 0;
    spec->host_ipc = strcmp(request->ipc_mode, "host") == 0;
    spec->host_uts = strcmp(request->uts_mode, "host") == 0;
    spec->host_cgroup = strcmp(request->cgroupns_mode, "host") == 0;
    spec->no_shm = strcmp(request->ipc_mode, "none") == 0;
    spec->no_selinux = request->no_selinux;
    spec->no_apparmor = request->no_apparmor;
    spec->seccomp = request->seccomp;
    if (request->privileged && request->seccomp != BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE) {
        spec->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_UNCONFINED;
    }
    if (spec->seccomp == BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_PROFILE &&
        bytes_set(&spec->seccomp_profile, request->seccomp_profile.data, request->seccomp_profile.len, error) < 0) {
        return -1;
    }
    if (merge_capabilities(request->cap_add, request->n_cap_add, request->cap_drop, request->n_cap_drop,
                           &spec->capabilities, error) < 0) {
        return -1;
    }
    if (request->privileged) {
        spec->capabilities = MERGE_ALL_CAPABILITIES;
    }
    return merge_paths(request, spec, error);
}

/* ---- everything else ---------------------------------------------------------------------------- */

/* Copies a list of messages. */
static int copy_messages(void *ret_list, size_t *ret_n, void *const *list, size_t n, struct bh_error *error)
{
    void **copies = calloc(n ? n : 1, sizeof *copies);
    if (!copies) {
        return bh_error_errno(error, ENOMEM, "copy a list");
    }
    *(void ***)ret_list = copies;
    for (*ret_n = 0; *ret_n < n; (*ret_n)++) {
        ProtobufCMessage *copy = NULL;
        if (message_copy(list[*ret_n], &copy, error) < 0) {
            return -1;
        }
        copies[*ret_n] = copy;
    }
    return 0;
}

/* A privileged container has all of the host's, where their names are free. */
static int add_all_devices(Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    Bulkhead__Device all = BULKHEAD__DEVICE__INIT;
    ProtobufCMessage *copy = NULL;
    all.host_path = all.path = (char *)(uintptr_t) "/dev";
    all.read = all.write = all.make = true;
    Bulkhead__Device **devices = realloc(spec->devices, (spec->n_devices + 1) * sizeof(Bulkhead__Device *));
    if (!devices) {
        return bh_error_errno(error, ENOMEM, "list a container's devices");
    }
    spec->devices = devices;
    if (message_copy(&all.base, &copy, error) < 0) {
        return -1;
    }
    spec->devices[spec->n_devices++] = (Bulkhead__Device *)copy;
    return 0;
}

static int merge_lists(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    if (copy_messages(&spec->limits, &spec->n_limits, (void *const *)request->limits, request->n_limits, error) < 0 ||
        copy_messages(&spec->sysctls, &spec->n_sysctls, (void *const *)request->sysctls, request->n_sysctls, error) <
            0 ||
        copy_messages(&spec->devices, &spec->n_devices, (void *const *)request->devices, request->n_devices, error) <
            0 ||
        copy_messages(&spec->device_rules, &spec->n_device_rules, (void *const *)request->device_rules,
                      request->n_device_rules, error) < 0 ||
        (request->privileged && add_all_devices(spec, error) < 0)) {
        return -1;
    }
    if (strings_append_all(&spec->extra_hosts, &spec->n_extra_hosts, request->extra_hosts, request->n_extra_hosts,
                           error) < 0 ||
        strings_append_all(&spec->dns_servers, &spec->n_dns_servers, request->dns_servers, request->n_dns_servers,
                           error) < 0 ||
        strings_append_all(&spec->dns_search, &spec->n_dns_search, request->dns_search, request->n_dns_search, error) <
            0 ||
        strings_append_all(&spec->dns_options, &spec->n_dns_options, request->dns_options, request->n_dns_options,
                           error) < 0) {
        return -1;
    }
    return 0;
}

static int merge_resources(const Bulkhead__ContainerRequest *request, Bulkhead__ContainerSpec *spec,
                           struct bh_error *error)
{
    const Bulkhead__Resources none = BULKHEAD__RESOURCES__INIT;
    ProtobufCMessage *copy = NULL;
    if (message_copy(request->resources ? &request->resources->base : &none.base, &copy, error) < 0) {
        return -1;
    }
    spec->resources = (Bulkhead__Resources *)copy;
    spec->disk_bytes = request->disk_bytes;
    spec->shm_bytes = request->shm_bytes ? request->shm_bytes : DEFAULT_SHM_BYTES;
    spec->oom_score_adjust = request->oom_score_adjust;
    spec->init = request->init;
    spec->ephemeral = request->auto_remove;
    return 0;
}

/* A cgroup parent lies below the configured one, however it is written. */
static const char *relative(const char *path)
{
    return path + strspn(path, "/");
}

static int merge_identity(const Bulkhead__ContainerRequest *request, const struct merge_facts *facts,
                          Bulkhead__ContainerSpec *spec, struct bh_error *error)
{
    struct bh_digest id;
    char short_id[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, facts->id, sizeof id.bytes);
    (void)bh_digest_hex(&id, short_id);
    short_id[SHORT_ID_DIGITS] = '\0';
    const char *host_name = short_id;
    if (request->host_name_presence_case == BULKHEAD__CONTAINER_REQUEST__HOST_NAME_PRESENCE_HOST_NAME &&
        request->host_name[0]) {
        host_name = request->host_name;
    } else if (request->network == BULKHEAD__NETWORK_MODE__NETWORK_MODE_HOST) {
        host_name = facts->host_name;
    }
    spec->tenant_uid = facts->tenant_uid;
    spec->network = request->network;
    if (bytes_set(&spec->id, facts->id, BH_DIGEST_BYTES, error) < 0 ||
        bytes_set(&spec->image_digest, facts->image->bytes, BH_DIGEST_BYTES, error) < 0 ||
        string_set(&spec->image_reference, facts->image_reference, error) < 0 ||
        string_set(&spec->host_name, host_name, error) < 0 ||
        string_set(&spec->domain_name, request->domain_name, error) < 0 ||
        string_set(&spec->wanted_cgroup_parent, relative(request->cgroup_parent), error) < 0) {
        return -1;
    }
    spec->layers = calloc(facts->n_layers ? facts->n_layers : 1, sizeof *spec->layers);
    if (!spec->layers) {
        return bh_error_errno(error, ENOMEM, "list %zu layers", facts->n_layers);
    }
    for (; spec->n_layers < facts->n_layers; spec->n_layers++) {
        if (bytes_set(&spec->layers[spec->n_layers], facts->layers[spec->n_layers].bytes, BH_DIGEST_BYTES, error) < 0) {
            return -1;
        }
    }
    return 0;
}

int merge_container(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                    const struct merge_facts *facts, Bulkhead__ContainerSpec **ret_spec, struct bh_error *error)
{
    bh_cleanup(free_spec) Bulkhead__ContainerSpec *spec = malloc(sizeof *spec);
    if (!spec) {
        return bh_error_errno(error, ENOMEM, "describe a container");
    }
    bulkhead__container_spec__init(spec);
    if (merge_identity(request, facts, spec, error) < 0 || merge_process(image, request, spec, error) < 0 ||
        merge_rights(request, spec, error) < 0 || merge_lists(request, spec, error) < 0 ||
        merge_resources(request, spec, error) < 0 || log_options_merge(image, request, spec, error) < 0) {
        return -1;
    }
    *ret_spec = bh_steal_pointer(&spec);
    return 0;
}

int merge_labels(const Bulkhead__ImageConfig *image, const Bulkhead__ContainerRequest *request,
                 Bulkhead__KeyValue ***ret_labels, size_t *ret_n_labels, struct bh_error *error)
{
    size_t n_image = image ? image->n_labels : 0;
    Bulkhead__KeyValue **labels = calloc(n_image + request->n_labels + 1, sizeof *labels);
    if (!labels) {
        return bh_error_errno(error, ENOMEM, "merge labels");
    }
    size_t n_labels = 0;
    for (size_t i = 0; i < n_image; i++) {
        bool overridden = false;
        for (size_t j = 0; j < request->n_labels && !overridden; j++) {
            overridden = strcmp(request->labels[j]->key, image->labels[i]->key) == 0;
        }
        if (!overridden) {
            labels[n_labels++] = image->labels[i];
        }
    }
    for (size_t i = 0; i < request->n_labels; i++) {
        labels[n_labels++] = request->labels[i];
    }
    *ret_labels = labels;
    *ret_n_labels = n_labels;
    return 0;
}

int merge_labels_into(const Bulkhead__ImageConfig *image, Bulkhead__ContainerRequest *request, struct bh_error *error)
{
    bh_autofree Bulkhead__KeyValue **merged = NULL;
    size_t n_merged = 0;
    if (merge_labels(image, request, &merged, &n_merged, error) < 0) {
        return -1;
    }
    const size_t n_image = n_merged - request->n_labels; /* these come first */
    for (size_t i = 0; i < n_image; i++) {
        ProtobufCMessage *copy = NULL;
        if (message_copy(&merged[i]->base, &copy, error) < 0) {
            while (i > 0) {
                bulkhead__key_value__free_unpacked(merged[--i], NULL);
            }
            return -1;
        }
        merged[i] = (Bulkhead__KeyValue *)copy;
    }
    free(request->labels);
    request->labels = bh_steal_pointer(&merged);
    request->n_labels = n_merged;
    return 0;
}
