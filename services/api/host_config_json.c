/* SPDX-License-Identifier: Apache-2.0
 *
 * See host_config_json.h: the counterpart of host_config.c.
 */
#include "host_config_json.h"

#include <string.h>

#include "json_types.h"
#include "mounts_json.h"
#include "ports_json.h"

/* -1 for unlimited, as clients write it. */
static int64_t signed_amount(uint64_t amount)
{
    return amount > INT64_MAX ? -1 : (int64_t)amount;
}

static void write_optional(struct json_writer *writer, const char *key, bool is_set, int64_t value)
{
    if (is_set) {
        write_int(writer, key, value);
    } else {
        write_null(writer, key);
    }
}

static void write_limits(struct json_writer *writer, const char *key, const char *name,
                         Bulkhead__DeviceLimit *const *limits, size_t n_limits)
{
    if (n_limits == 0) {
        write_null(writer, key);
        return;
    }
    write_array(writer, key);
    for (size_t i = 0; i < n_limits; i++) {
        write_object(writer, NULL);
        write_string(writer, "Path", limits[i]->path);
        write_uint(writer, name, limits[i]->value);
        write_object_end(writer);
    }
    write_array_end(writer);
}

static void write_devices(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    write_array(writer, "Devices");
    for (size_t i = 0; i < request->n_devices; i++) {
        const Bulkhead__Device *device = request->devices[i];
        write_object(writer, NULL);
        write_string(writer, "PathOnHost", device->host_path);
        write_string(writer, "PathInContainer", device->path);
        write_format(writer, "CgroupPermissions", "%s%s%s", device->read ? "r" : "", device->write ? "w" : "",
                     device->make ? "m" : "");
        write_object_end(writer);
    }
    write_array_end(writer);
}

static void write_resources(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    static const Bulkhead__Resources none = BULKHEAD__RESOURCES__INIT;
    const Bulkhead__Resources *resources = request->resources ? request->resources : &none;
    bool nano = request->nano_cpus > 0; /* then quota and period are ours, not the client's */
    write_uint(writer, "CpuShares", resources->cpu_shares);
    write_uint(writer, "Memory", resources->memory_bytes);
    write_int(writer, "NanoCpus", request->nano_cpus);
    write_string(writer, "CgroupParent", request->cgroup_parent);
    write_uint(writer, "BlkioWeight", resources->blkio_weight);
    write_limits(writer, "BlkioWeightDevice", "Weight", resources->weights, resources->n_weights);
    write_limits(writer, "BlkioDeviceReadBps", "Rate", resources->read_bytes, resources->n_read_bytes);
    write_limits(writer, "BlkioDeviceWriteBps", "Rate", resources->write_bytes, resources->n_write_bytes);
    write_limits(writer, "BlkioDeviceReadIOps", "Rate", resources->read_operations, resources->n_read_operations);
    write_limits(writer, "BlkioDeviceWriteIOps", "Rate", resources->write_operations, resources->n_write_operations);
    write_uint(writer, "CpuPeriod", nano ? 0 : resources->cpu_period_us);
    write_int(writer, "CpuQuota", nano ? 0 : signed_amount(resources->cpu_quota_us));
    write_uint(writer, "CpuRealtimePeriod", resources->cpu_realtime_period_us);
    write_uint(writer, "CpuRealtimeRuntime", resources->cpu_realtime_runtime_us);
    write_string(writer, "CpusetCpus", resources->cpuset_cpus);
    write_string(writer, "CpusetMems", resources->cpuset_mems);
    write_devices(writer, request);
    write_strings(writer, "DeviceCgroupRules", request->device_cgroup_rules, request->n_device_cgroup_rules, true);
    write_null(writer, "DeviceRequests");
    write_uint(writer, "MemoryReservation", resources->memory_reservation_bytes);
    write_int(writer, "MemorySwap", signed_amount(resources->memory_swap_bytes));
    write_optional(writer, "MemorySwappiness", resources->memory_swappiness_set, resources->memory_swappiness);
    write_bool(writer, "OomKillDisable", resources->oom_kill_disable);
    write_optional(writer, "PidsLimit", request->pids_limit_set, request->pids_limit);
    if (request->kernel_memory_bytes > 0) {
        write_int(writer, "KernelMemory", request->kernel_memory_bytes);
    }
    if (request->kernel_memory_tcp_bytes > 0) {
        write_int(writer, "KernelMemoryTCP", request->kernel_memory_tcp_bytes);
    }
    write_array(writer, "Ulimits");
    for (size_t i = 0; i < request->n_limits; i++) {
        write_object(writer, NULL);
        write_string(writer, "Name", request->limits[i]->name);
        write_int(writer, "Hard", signed_amount(request->limits[i]->hard));
        write_int(writer, "Soft", signed_amount(request->limits[i]->soft));
        write_object_end(writer);
    }
    write_array_end(writer);
    write_int(writer, "CpuCount", 0);
    write_int(writer, "CpuPercent", 0);
    write_int(writer, "IOMaximumIOps", 0);
    write_int(writer, "IOMaximumBandwidth", 0);
}

/* "/db:/web/database", for a link of the container web to db. */
static void write_links(struct json_writer *writer, const Bulkhead__ContainerRequest *request, const char *name)
{
    if (request->n_links == 0) {
        write_null(writer, "Links");
        return;
    }
    write_array(writer, "Links");
    for (size_t i = 0; i < request->n_links; i++) {
        const char *link = request->links[i] + (request->links[i][0] == '/'), *colon = strchr(link, ':');
        int length = colon ? (int)(colon - link) : (int)strlen(link);
        const char *alias = colon ? colon + 1 : link, *path = strrchr(alias, '/');
        write_format(writer, NULL, "/%.*s:/%s/%s", length, link, name, path ? path + 1 : alias);
    }
    write_array_end(writer);
}

static void write_modes(struct json_writer *writer, const Bulkhead__ContainerRequest *request, const char *name)
{
    write_strings(writer, "CapAdd", request->cap_add, request->n_cap_add, true);
    write_strings(writer, "CapDrop", request->cap_drop, request->n_cap_drop, true);
    write_string(writer, "CgroupnsMode", *request->cgroupns_mode ? request->cgroupns_mode : "private");
    write_strings(writer, "Dns", request->dns_servers, request->n_dns_servers, false);
    write_strings(writer, "DnsOptions", request->dns_options, request->n_dns_options, false);
    write_strings(writer, "DnsSearch", request->dns_search, request->n_dns_search, false);
    write_strings(writer, "ExtraHosts", request->extra_hosts, request->n_extra_hosts, true);
    write_strings(writer, "GroupAdd", request->group_add, request->n_group_add, true);
    write_string(writer, "IpcMode", *request->ipc_mode ? request->ipc_mode : "private");
    write_string(writer, "Cgroup", "");
    write_links(writer, request, name);
    write_int(writer, "OomScoreAdj", request->oom_score_adjust);
    write_string(writer, "PidMode", request->pid_mode);
    write_bool(writer, "Privileged", request->privileged);
    write_bool(writer, "PublishAllPorts", request->publish_all_ports);
    write_bool(writer, "ReadonlyRootfs", request->read_only_root);
    write_strings(writer, "SecurityOpt", request->security_opt, request->n_security_opt, true);
    write_string(writer, "UTSMode", request->uts_mode);
    write_string(writer, "UsernsMode", request->userns_mode);
    write_uint(writer, "ShmSize", request->shm_bytes);
    if (request->n_sysctls > 0) {
        write_map(writer, "Sysctls", request->sysctls, request->n_sysctls);
    }
    if (request->n_annotations > 0) {
        write_map(writer, "Annotations", request->annotations, request->n_annotations);
    }
    write_string(writer, "Runtime", *request->runtime ? request->runtime : "bulkhead");
    write_string(writer, "Isolation", request->isolation);
}

/* What Docker masks where the client said nothing. */
static void write_paths(struct json_writer *writer, const Bulkhead__ContainerRequest *request)
{
    static const char *const masked[] = {"/proc/asound",     "/proc/acpi",        "/proc/interrupts",
                                         "/proc/kcore",      "/proc/keys",        "/proc/latency_stats",
                                         "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
                                         "/proc/scsi",       "/sys/firmware",     "/sys/devices/virtual/powercap"};
    static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
    if (request->masked_paths_set) {
        write_strings(writer, "MaskedPaths", request->masked_paths, request->n_masked_paths, false);
        write_strings(writer, "ReadonlyPaths", request->read_only_paths, request->n_read_only_paths, false);
        return;
    }
    if (request->privileged) {
        write_null(writer, "MaskedPaths");
        write_null(writer, "ReadonlyPaths");
        return;
    }
    write_words(writer, "MaskedPaths", masked, sizeof(masked) / sizeof(masked[0]));
    write_words(writer, "ReadonlyPaths", read_only, sizeof(read_only) / sizeof(read_only[0]));
}

void write_host_config(struct json_writer *writer, const Bulkhead__ContainerRequest *request, const char *name)
{
    write_object(writer, "HostConfig");
    write_strings(writer, "Binds", request->binds, request->n_binds, true);
    write_string(writer, "ContainerIDFile", "");
    write_object(writer, "LogConfig");
    write_string(writer, "Type", request->log_driver);
    write_map(writer, "Config", request->log_options, request->n_log_options);
    write_object_end(writer);
    write_string(writer, "NetworkMode", request->network_mode);
    write_port_bindings(writer, request);
    write_object(writer, "RestartPolicy");
    write_string(writer, "Name", *request->restart_policy ? request->restart_policy : "no");
    write_uint(writer, "MaximumRetryCount", request->restart_retries);
    write_object_end(writer);
    write_bool(writer, "AutoRemove", request->auto_remove);
    write_string(writer, "VolumeDriver", request->volume_driver);
    write_strings(writer, "VolumesFrom", request->volumes_from, request->n_volumes_from, true);
    write_array(writer, "ConsoleSize");
    write_uint(writer, NULL, request->tty_rows);
    write_uint(writer, NULL, request->tty_columns);
    write_array_end(writer);
    if (request->n_storage_options > 0) {
        write_map(writer, "StorageOpt", request->storage_options, request->n_storage_options);
    }
    write_host_tmpfs(writer, request);
    write_host_mounts(writer, request);
    write_modes(writer, request, name);
    write_resources(writer, request);
    write_paths(writer, request);
    if (request->init_set) {
        write_bool(writer, "Init", request->init);
    }
    write_object_end(writer);
}
