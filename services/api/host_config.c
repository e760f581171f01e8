/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of HostConfig: what is read into which field, what means nothing here, and what is refused because it
 * cannot be done yet.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/limits.h"
#include "create.h"

#define SHM_DEFAULT_BYTES (64 * BH_MIB)

static const char windows_only[] = "this is an option for Windows";

static int read_shm_size(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t bytes = 0;
    if (take_int(value, where, INT64_MIN, INT64_MAX, &bytes, error) < 0) {
        return -1;
    }
    if (bytes < 0) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "SHM size can not be less than 0");
    }
    create->request->shm_bytes = bytes ? (uint64_t)bytes : SHM_DEFAULT_BYTES;
    return 0;
}

static int read_oom_score(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t adjustment = 0;
    if (take_int(value, where, INT32_MIN, INT32_MAX, &adjustment, error) < 0) {
        return -1;
    }
    if (adjustment < -1000 || adjustment > 1000) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Invalid value %lld, range for oom score adj is [-1000, 1000]",
                            (long long)adjustment);
    }
    create->request->oom_score_adjust = (int32_t)adjustment;
    return 0;
}

static bool is_address(const char *text)
{
    unsigned char address[16];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* "name:address"; it becomes a line of /etc/hosts, so it must not become two. */
static int read_extra_hosts(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_strings(value, where, &request->n_extra_hosts, &request->extra_hosts, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_extra_hosts; i++) {
        const char *host = request->extra_hosts[i];
        size_t name = strcspn(host, ":");
        bool valid = name > 0 && name <= 253 && host[name] &&
                     (is_address(host + name + 1) || strcmp(host + name + 1, "host-gateway") == 0);
        for (size_t c = 0; c < name; c++) {
            valid = valid && (isalnum((unsigned char)host[c]) || strchr("-_.", host[c]));
        }
        if (!valid) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "bad format for add-host: \"%s\" must be name:address",
                                host);
        }
    }
    return 0;
}

static int read_dns(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (take_strings(value, where, &request->n_dns_servers, &request->dns_servers, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < request->n_dns_servers; i++) {
        if (!is_address(request->dns_servers[i])) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "bad nameserver address: %s", request->dns_servers[i]);
        }
    }
    return 0;
}

/* Words of resolv.conf: printable and without white space. */
static int read_dns_words(const json_t *value, const char *where, size_t *n_slot, char ***slot, struct bh_error *error)
{
    if (take_strings(value, where, n_slot, slot, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < *n_slot; i++) {
        const char *word = (*slot)[i];
        bool valid = *word != '\0';
        for (const char *c = word; *c; c++) {
            valid = valid && isgraph((unsigned char)*c);
        }
        if (!valid) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "%s: \"%s\" must be one word", where, word);
        }
    }
    return 0;
}

static int read_dns_search(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_dns_words(value, where, &create->request->n_dns_search, &create->request->dns_search, error);
}

static int read_dns_options(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_dns_words(value, where, &create->request->n_dns_options, &create->request->dns_options, error);
}

static int read_masked_paths(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    create->request->masked_paths_set = create->request->masked_paths_set || json_is_array(value);
    return take_strings(value, where, &create->request->n_masked_paths, &create->request->masked_paths, error);
}

static int read_read_only_paths(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    create->request->masked_paths_set = create->request->masked_paths_set || json_is_array(value);
    return take_strings(value, where, &create->request->n_read_only_paths, &create->request->read_only_paths, error);
}

/* [rows, columns] */
static int read_console_size(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return take_console_size(value, where, &create->request->tty_rows, &create->request->tty_columns, error);
}

static int read_init(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int on = 0;
    if (take_bool(value, where, &on, error) < 0) {
        return -1;
    }
    create->request->init = on;
    create->request->init_set = !json_is_null(value);
    return 0;
}

static const struct field host_config_fields[] = {
    {"Binds", FIELD_READ, .read = read_binds},
    {"Mounts", FIELD_READ, .read = read_mounts},
    {"Tmpfs", FIELD_READ, .read = read_tmpfs},
    {"VolumesFrom", FIELD_STRINGS, .offset = REQUEST_AT(volumes_from), .count = REQUEST_AT(n_volumes_from)},
    {"VolumeDriver", FIELD_STRING, .offset = REQUEST_AT(volume_driver)},
    {"StorageOpt", FIELD_READ, .read = read_storage_options},
    {"NetworkMode", FIELD_READ, .read = read_network_mode},
    {"AutoRemove", FIELD_BOOL, .offset = REQUEST_AT(auto_remove)},
    {"Privileged", FIELD_BOOL, .offset = REQUEST_AT(privileged)},
    {"ReadonlyRootfs", FIELD_BOOL, .offset = REQUEST_AT(read_only_root)},
    {"CapAdd", FIELD_READ, .read = read_capabilities_added},
    {"CapDrop", FIELD_READ, .read = read_capabilities_dropped},
    {"GroupAdd", FIELD_STRINGS, .offset = REQUEST_AT(group_add), .count = REQUEST_AT(n_group_add)},
    {"SecurityOpt", FIELD_READ, .read = read_security_options},
    {"MaskedPaths", FIELD_READ, .read = read_masked_paths},
    {"ReadonlyPaths", FIELD_READ, .read = read_read_only_paths},
    {"Sysctls", FIELD_MAP, .offset = REQUEST_AT(sysctls), .count = REQUEST_AT(n_sysctls)},
    {"ShmSize", FIELD_READ, .read = read_shm_size},
    {"OomScoreAdj", FIELD_READ, .read = read_oom_score},
    {"ExtraHosts", FIELD_READ, .read = read_extra_hosts},
    {"Dns", FIELD_READ, .read = read_dns},
    {"DnsSearch", FIELD_READ, .read = read_dns_search},
    {"DnsOptions", FIELD_READ, .read = read_dns_options},
    {"LogConfig", FIELD_READ, .read = read_log_config},
    {"RestartPolicy", FIELD_READ, .read = read_restart_policy},
    {"Init", FIELD_READ, .read = read_init},
    {"PidMode", FIELD_READ, .read = read_pid_mode},
    {"IpcMode", FIELD_READ, .read = read_ipc_mode},
    {"UTSMode", FIELD_READ, .read = read_uts_mode},
    {"CgroupnsMode", FIELD_READ, .read = read_cgroupns_mode},
    {"UsernsMode", FIELD_READ, .read = read_userns_mode},
    {"CgroupParent", FIELD_STRING, .offset = REQUEST_AT(cgroup_parent)},
    {"ConsoleSize", FIELD_READ, .read = read_console_size},
    {"Runtime", FIELD_READ, .read = read_runtime},
    {"Isolation", FIELD_READ, .read = read_isolation},
    /* Resources. */
    {"Memory", FIELD_READ, .read = read_memory},
    {"MemorySwap", FIELD_READ, .read = read_memory_swap},
    {"MemoryReservation", FIELD_READ, .read = read_memory_reservation},
    {"MemorySwappiness", FIELD_READ, .read = read_swappiness},
    {"NanoCpus", FIELD_READ, .read = read_nano_cpus},
    {"CpuQuota", FIELD_READ, .read = read_cpu_quota},
    {"CpuPeriod", FIELD_READ, .read = read_cpu_period},
    {"CpuShares", FIELD_READ, .read = read_cpu_shares},
    {"CpusetCpus", FIELD_READ, .read = read_cpuset_cpus},
    {"CpusetMems", FIELD_READ, .read = read_cpuset_mems},
    {"PidsLimit", FIELD_READ, .read = read_pids_limit},
    {"BlkioWeight", FIELD_READ, .read = read_blkio_weight},
    {"OomKillDisable", FIELD_READ, .read = read_oom_kill_disable},
    {"Ulimits", FIELD_READ, .read = read_ulimits},
    {"CpuRealtimePeriod", FIELD_READ, .read = read_realtime_period},
    {"CpuRealtimeRuntime", FIELD_READ, .read = read_realtime_runtime},
    {"KernelMemory", FIELD_READ, .read = read_kernel_memory},
    {"KernelMemoryTCP", FIELD_READ, .read = read_kernel_memory_tcp},
    {"BlkioWeightDevice", FIELD_READ, .read = read_weights},
    {"BlkioDeviceReadBps", FIELD_READ, .read = read_read_bytes},
    {"BlkioDeviceWriteBps", FIELD_READ, .read = read_write_bytes},
    {"BlkioDeviceReadIOps", FIELD_READ, .read = read_read_operations},
    {"BlkioDeviceWriteIOps", FIELD_READ, .read = read_write_operations},
    {"Devices", FIELD_READ, .read = read_devices},
    {"DeviceCgroupRules", FIELD_READ, .read = read_device_rules},
    {"DeviceRequests", FIELD_READ, .read = read_device_requests},
    {"Annotations", FIELD_MAP, .offset = REQUEST_AT(annotations), .count = REQUEST_AT(n_annotations)},
    {"PortBindings", FIELD_READ, .read = read_port_bindings},
    {"PublishAllPorts", FIELD_BOOL, .offset = REQUEST_AT(publish_all_ports)},
    {"Links", FIELD_STRINGS, .offset = REQUEST_AT(links), .count = REQUEST_AT(n_links)},
    /* Not yet, or never. */
    {"Cgroup", FIELD_REFUSED, .without = "shared cgroups are not supported"},
    {"CpuCount", FIELD_REFUSED, .without = windows_only},
    {"CpuPercent", FIELD_REFUSED, .without = windows_only},
    {"IOMaximumIOps", FIELD_REFUSED, .without = windows_only},
    {"IOMaximumBandwidth", FIELD_REFUSED, .without = windows_only},
    {"ContainerIDFile", .kind = FIELD_MEANS_NOTHING}, /* the client writes it */
    {0},
};

int host_config_read(struct create *create, const json_t *host_config, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    request->network = BULKHEAD__NETWORK_MODE__NETWORK_MODE_LINKED;
    request->seccomp = BULKHEAD__SECCOMP_MODE__SECCOMP_MODE_DEFAULT;
    request->no_new_privileges = true; /* on unless asked otherwise, which Docker leaves off */
    request->shm_bytes = SHM_DEFAULT_BYTES;
    if (set_string(&request->restart_policy, "no", error) < 0 || log_config_default(create, error) < 0) {
        return -1;
    }
    if (host_config && !json_is_null(host_config)) {
        if (!json_is_object(host_config)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: HostConfig must be an object");
        }
        if (read_fields(create, host_config_fields, host_config, "HostConfig.", NULL, error) < 0) {
            return -1;
        }
    }
    return namespaces_finish(create, host_config, error) < 0 || restart_policy_finish(create, error) < 0
               ? -1
               : resources_finish(create, error);
}
