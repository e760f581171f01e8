/* SPDX-License-Identifier: Apache-2.0
 *
 * Resources of HostConfig.
 */
#include "container_resources.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "value_device.h"
#include "values.h"

static int add_bytes(json_t *object, const char *key, const char *text, struct bh_error *error)
{
    int64_t bytes = -1;
    if (!text) {
        return 0;
    }
    if (strcmp(text, "-1") != 0 && value_bytes(text, &bytes, error) < 0) {
        return -1;
    }
    return field_set(object, key, json_integer(bytes), error);
}

int container_resources_add_limits(json_t *host, const struct container_options *options, struct bh_error *error)
{
    int64_t nano_cpus = 0;
    if (options->cpus && (value_nano_cpus(options->cpus, &nano_cpus, error) < 0 ||
                          field_set(host, "NanoCpus", json_integer(nano_cpus), error) < 0)) {
        return -1;
    }
    return add_bytes(host, "Memory", options->memory, error) < 0 ||
                   add_bytes(host, "MemorySwap", options->memory_swap, error) < 0 ||
                   add_bytes(host, "MemoryReservation", options->memory_reservation, error) < 0 ||
                   field_set_integer(host, "PidsLimit", options->pids_limit.given, options->pids_limit.value, error) <
                       0 ||
                   field_set_integer(host, "CpuShares", options->cpu_shares.given, options->cpu_shares.value, error) <
                       0 ||
                   field_set_integer(host, "CpuPeriod", options->cpu_period.given, options->cpu_period.value, error) <
                       0 ||
                   field_set_integer(host, "CpuQuota", options->cpu_quota.given, options->cpu_quota.value, error) < 0 ||
                   field_set_integer(host, "CpuRealtimePeriod", options->cpu_realtime_period.given,
                                     options->cpu_realtime_period.value, error) < 0 ||
                   field_set_integer(host, "CpuRealtimeRuntime", options->cpu_realtime_runtime.given,
                                     options->cpu_realtime_runtime.value, error) < 0 ||
                   field_set_integer(host, "BlkioWeight", options->blkio_weight.given, options->blkio_weight.value,
                                     error) < 0 ||
                   field_set_text(host, "CpusetCpus", options->cpuset_cpus, error) < 0 ||
                   field_set_text(host, "CpusetMems", options->cpuset_mems, error) < 0
               ? -1
               : 0;
}

/* One element per option, made by `make`. */
static int add_each(json_t *host, const char *key, const struct strings *texts,
                    int (*make)(const char *text, json_t **ret_element, struct bh_error *error), struct bh_error *error)
{
    if (texts->count == 0) {
        return 0;
    }
    json_t *array = json_array();
    if (field_set(host, key, array, error) < 0) {
        return -1;
    }
    for (size_t i = 0; i < texts->count; i++) {
        json_t *element = NULL;
        if (make(texts->items[i], &element, error) < 0 || field_append(array, element, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int add_gpus(json_t *host, const struct container_options *options, struct bh_error *error)
{
    json_t *request = NULL;
    return options->gpus && (value_gpus(options->gpus, &request, error) < 0 ||
                             field_set(host, "DeviceRequests", json_pack("[o]", request), error) < 0)
               ? -1
               : 0;
}

static int add_memory(json_t *host, const struct container_options *options, struct bh_error *error)
{
    const struct option_integer *swappiness = &options->memory_swappiness;
    if (swappiness->given && (swappiness->value < -1 || swappiness->value > 100)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid value: %lld. Valid memory swappiness range is 0-100",
                            (long long)swappiness->value);
    }
    return (swappiness->value != -1 &&
            field_set_integer(host, "MemorySwappiness", swappiness->given, swappiness->value, error) < 0) ||
                   add_bytes(host, "KernelMemory", options->kernel_memory, error) < 0 ||
                   add_bytes(host, "ShmSize", options->shm_size, error) < 0 ||
                   field_set_integer(host, "OomScoreAdj", options->oom_score_adjust.given,
                                     options->oom_score_adjust.value, error) < 0 ||
                   field_set_flag(host, "OomKillDisable", options->oom_kill_disable, error) < 0
               ? -1
               : 0;
}

int container_resources_add_devices(json_t *host, const struct container_options *options, struct bh_error *error)
{
    for (size_t i = 0; i < options->device_cgroup_rules.count; i++) {
        if (value_device_rule_check(options->device_cgroup_rules.items[i], error) < 0) {
            return -1;
        }
    }
    return add_memory(host, options, error) < 0 || add_gpus(host, options, error) < 0 ||
                   add_each(host, "Ulimits", &options->ulimits, value_ulimit, error) < 0 ||
                   add_each(host, "Devices", &options->devices, value_device, error) < 0 ||
                   add_each(host, "BlkioWeightDevice", &options->weight_devices, value_device_weight, error) < 0 ||
                   add_each(host, "BlkioDeviceReadBps", &options->device_read_bps, value_device_bytes, error) < 0 ||
                   add_each(host, "BlkioDeviceWriteBps", &options->device_write_bps, value_device_bytes, error) < 0 ||
                   add_each(host, "BlkioDeviceReadIOps", &options->device_read_iops, value_device_rate, error) < 0 ||
                   add_each(host, "BlkioDeviceWriteIOps", &options->device_write_iops, value_device_rate, error) < 0 ||
                   field_set_list(host, "DeviceCgroupRules", &options->device_cgroup_rules, error) < 0
               ? -1
               : 0;
}
