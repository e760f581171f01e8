/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers of a container: cgroup limits, rlimits, sysctls; see spec.h.
 */
#include "spec_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/limits.h"
#include "text.h"

static int check_range(const char *what, uint64_t value, uint64_t low, uint64_t high, struct bh_error *error)
{
    return value == 0 || (value >= low && value <= high)
               ? 0
               : bh_error_set(error, BH_INVALID_ARGUMENT, "%s %llu must be between %llu and %llu", what,
                              (unsigned long long)value, (unsigned long long)low, (unsigned long long)high);
}

/* No limit is no number to check. */
static uint64_t unlimited(uint64_t value)
{
    return value == UINT64_MAX ? 0 : value;
}

static int decode_device_limits(Bulkhead__DeviceLimit *const *limits, size_t n, struct spec_device_limits *ret_limits,
                                struct bh_error *error)
{
    for (size_t i = 0; i < n; i++) {
        if (n > BH_DEVICES_MAX || !spec_is_device_path(limits[i]->path)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "the limit of device \"%s\" must name a path below /dev, and be one of at most %d",
                                limits[i]->path, BH_DEVICES_MAX);
        }
    }
    *ret_limits = (struct spec_device_limits){limits, n};
    return 0;
}

static int decode_block_limits(const Bulkhead__Resources *message, struct spec_resources *resources,
                               struct bh_error *error)
{
    return decode_device_limits(message->weights, message->n_weights, &resources->weights, error) < 0 ||
                   decode_device_limits(message->read_bytes, message->n_read_bytes, &resources->read_bytes, error) <
                       0 ||
                   decode_device_limits(message->write_bytes, message->n_write_bytes, &resources->write_bytes, error) <
                       0 ||
                   decode_device_limits(message->read_operations, message->n_read_operations,
                                        &resources->read_operations, error) < 0 ||
                   decode_device_limits(message->write_operations, message->n_write_operations,
                                        &resources->write_operations, error) < 0
               ? -1
               : 0;
}

int spec_decode_resources(const Bulkhead__Resources *message, struct spec_resources *ret_resources,
                          struct bh_error *error)
{
    static const uint64_t most = INT64_MAX;
    *ret_resources = (struct spec_resources){.cpuset_cpus = "", .cpuset_mems = ""};
    if (!message) {
        return 0;
    }
    bool unlimited_swap = message->memory_swap_bytes == UINT64_MAX;
    if (check_range("memory limit", message->memory_bytes, 512 * 1024, most, error) < 0 ||
        check_range("memory and swap limit", unlimited_swap ? 0 : message->memory_swap_bytes, 512 * 1024, most, error) <
            0 ||
        check_range("memory reservation", message->memory_reservation_bytes, 1, most, error) < 0 ||
        check_range("cpu quota (us)", unlimited(message->cpu_quota_us), 1000, most, error) < 0 ||
        check_range("cpu period (us)", message->cpu_period_us, 1000, 1000000, error) < 0 ||
        check_range("cpu shares", message->cpu_shares, 2, 262144, error) < 0 ||
        check_range("pids limit", unlimited(message->pids_max), 1, 4194304, error) < 0 ||
        check_range("memory swappiness", message->memory_swappiness, 0, 100, error) < 0 ||
        check_range("realtime period (us)", message->cpu_realtime_period_us, 1, most, error) < 0 ||
        check_range("realtime runtime (us)", message->cpu_realtime_runtime_us, 1, most, error) < 0 ||
        check_range("blkio weight", message->blkio_weight, 10, 1000, error) < 0) {
        return -1;
    }
    if (!unlimited_swap && message->memory_swap_bytes && message->memory_swap_bytes < message->memory_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "the limit of memory and swap together must not be below the memory limit");
    }
    if ((*message->cpuset_cpus && !text_is_cpu_list(message->cpuset_cpus)) ||
        (*message->cpuset_mems && !text_is_cpu_list(message->cpuset_mems))) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "cpuset \"%s\", \"%s\" must be a list like 0-3,7",
                            message->cpuset_cpus, message->cpuset_mems);
    }
    *ret_resources = (struct spec_resources){
        .memory_bytes = message->memory_bytes,
        .memory_swap_bytes = message->memory_swap_bytes,
        .memory_reservation_bytes = message->memory_reservation_bytes,
        .cpu_quota_us = message->cpu_quota_us,
        .cpu_period_us = message->cpu_period_us,
        .cpu_shares = message->cpu_shares,
        .pids_max = message->pids_max,
        .cpuset_cpus = message->cpuset_cpus,
        .cpuset_mems = message->cpuset_mems,
        .blkio_weight = message->blkio_weight,
        .oom_kill_disable = message->oom_kill_disable,
        .memory_swappiness_set = message->memory_swappiness_set,
        .memory_swappiness = message->memory_swappiness,
        .cpu_realtime_period_us = message->cpu_realtime_period_us,
        .cpu_realtime_runtime_us = message->cpu_realtime_runtime_us,
    };
    return decode_block_limits(message, ret_resources, error);
}

static const struct {
    const char *name;
    int resource;
} limit_names[] = {
    {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},         {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS},       {"memlock", RLIMIT_MEMLOCK},
    {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},     {"nproc", RLIMIT_NPROC},
    {"rss", RLIMIT_RSS},           {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},       {"as", RLIMIT_AS},
};

static int decode_limit(const Bulkhead__ResourceLimit *message, struct spec_limit *ret_limit, struct bh_error *error)
{
    for (size_t i = 0; i < sizeof(limit_names) / sizeof(limit_names[0]); i++) {
        if (strcmp(message->name, limit_names[i].name) == 0) {
            if (message->soft > message->hard) {
                return bh_error_set(
                    error, BH_INVALID_ARGUMENT, "limit %s: the soft limit %llu must not be above the hard limit %llu",
                    message->name, (unsigned long long)message->soft, (unsigned long long)message->hard);
            }
            *ret_limit = (struct spec_limit){.resource = limit_names[i].resource,
                                             .name = limit_names[i].name,
                                             .soft = message->soft,
                                             .hard = message->hard};
            return 0;
        }
    }
    return bh_error_set(error, BH_INVALID_ARGUMENT, "limit \"%s\" is none of setrlimit(2)'s", message->name);
}

int spec_decode_limits(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->limits = calloc(message->n_limits + 1, sizeof(spec->limits[0]));
    if (!spec->limits || message->n_limits > 64) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu limits are too many", message->n_limits);
    }
    for (; spec->n_limits < message->n_limits; spec->n_limits++) {
        if (decode_limit(message->limits[spec->n_limits], &spec->limits[spec->n_limits], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Only settings that belong to a namespace of the container's own: never kernel.core_pattern and its like. */
static bool is_namespaced(const char *name, const struct container_spec *spec)
{
    static const char *const ipc[] = {"kernel.shmmax", "kernel.shmall", "kernel.shmmni", "kernel.shm_rmid_forced",
                                      "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem"};
    if (!text_is_made_of(name, "._-", 255) || strstr(name, "..")) {
        return false;
    }
    if (strncmp(name, "net.", 4) == 0) {
        return spec->network == SPEC_NETWORK_NONE || spec->network == SPEC_NETWORK_LINKED;
    }
    if (strncmp(name, "fs.mqueue.", 10) == 0) {
        return !spec->host_ipc && !spec->join_ipc;
    }
    for (size_t i = 0; i < sizeof(ipc) / sizeof(ipc[0]); i++) {
        if (strcmp(name, ipc[i]) == 0) {
            return !spec->host_ipc && !spec->join_ipc;
        }
    }
    return false;
}

int spec_decode_sysctls(const Bulkhead__ContainerSpec *message, struct container_spec *spec, struct bh_error *error)
{
    spec->sysctls = calloc(message->n_sysctls + 1, sizeof(spec->sysctls[0]));
    if (!spec->sysctls || message->n_sysctls > 256) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "%zu sysctls are too many", message->n_sysctls);
    }
    for (; spec->n_sysctls < message->n_sysctls; spec->n_sysctls++) {
        const Bulkhead__KeyValue *setting = message->sysctls[spec->n_sysctls];
        if (!is_namespaced(setting->key, spec) || !text_is_one_line(setting->value, 255)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT,
                                "sysctl \"%s\" is not one that belongs to the container's own namespaces (net.*, "
                                "fs.mqueue.*, kernel.shm*, kernel.msg*, kernel.sem)",
                                setting->key);
        }
        spec->sysctls[spec->n_sysctls] = (struct spec_sysctl){.name = setting->key, .value = setting->value};
    }
    return 0;
}
