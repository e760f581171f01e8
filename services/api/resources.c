/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory, processors, processes and ulimits of a container: read from HostConfig, judged as Docker judges them, in its
 * words. What a tenant may have at most is policy's affair, not ours.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "create.h"

#define MEMORY_MIN_BYTES (6 * BH_MIB)
#define CPU_PERIOD_US    100000 /* what NanoCpus is counted in */
#define NANO             1000000000LL

static int read_amount(const json_t *value, const char *where, int64_t min, uint64_t *slot, struct bh_error *error)
{
    int64_t amount = 0;
    if (take_int(value, where, min, INT64_MAX, &amount, error) < 0) {
        return -1;
    }
    *slot = amount < 0 ? UINT64_MAX : (uint64_t)amount;
    return 0;
}

int read_memory(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_amount(value, where, 0, &create->request->resources->memory_bytes, error);
}

int read_memory_swap(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_amount(value, where, -1, &create->request->resources->memory_swap_bytes, error);
}

int read_memory_reservation(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_amount(value, where, 0, &create->request->resources->memory_reservation_bytes, error);
}

int read_swappiness(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__Resources *resources = create->request->resources;
    int64_t swappiness = -1;
    if (take_int(value, where, INT64_MIN, INT64_MAX, &swappiness, error) < 0) {
        return -1;
    }
    if (swappiness < -1 || swappiness > 100) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Invalid value: %lld, valid memory swappiness range is 0-100",
                            (long long)swappiness);
    }
    resources->memory_swappiness_set = swappiness >= 0;
    resources->memory_swappiness = swappiness >= 0 ? (uint32_t)swappiness : 0;
    return 0;
}

int read_realtime_period(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_amount(value, where, 0, &create->request->resources->cpu_realtime_period_us, error);
}

int read_realtime_runtime(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_amount(value, where, 0, &create->request->resources->cpu_realtime_runtime_us, error);
}

/* Linux forgot these limits with 6.1; Docker says so and goes on. */
int read_kernel_memory(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t bytes = 0;
    if (take_int(value, where, INT64_MIN, INT64_MAX, &bytes, error) < 0) {
        return -1;
    }
    if (bytes != 0 && bytes != -1 && bytes < (int64_t)MEMORY_MIN_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Minimum kernel memory limit allowed is 6MB");
    }
    if (bytes > 0) {
        create_warn(create,
                    "Specifying a kernel memory limit is deprecated: Linux has none any more. Limit discarded.");
    }
    create->request->kernel_memory_bytes = bytes > 0 ? bytes : 0;
    return 0;
}

int read_kernel_memory_tcp(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t bytes = 0;
    if (take_int(value, where, -1, INT64_MAX, &bytes, error) < 0) {
        return -1;
    }
    if (bytes > 0) {
        create_warn(create, "A kernel memory limit for TCP is not supported. Limit discarded.");
    }
    create->request->kernel_memory_tcp_bytes = bytes > 0 ? bytes : 0;
    return 0;
}

int read_nano_cpus(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return take_int(value, where, 0, INT64_MAX, &create->request->nano_cpus, error);
}

int read_cpu_quota(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t quota = 0;
    if (take_int(value, where, -1, INT64_MAX, &quota, error) < 0) {
        return -1;
    }
    if (quota > 0 && quota < 1000) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "CPU cfs quota can not be less than 1ms (i.e. 1000)");
    }
    create->request->resources->cpu_quota_us = quota < 0 ? UINT64_MAX : (uint64_t)quota;
    return 0;
}

int read_cpu_period(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t period = 0;
    if (take_int(value, where, 0, INT64_MAX, &period, error) < 0) {
        return -1;
    }
    if (period != 0 && (period < 1000 || period > 1000000)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
    }
    create->request->resources->cpu_period_us = (uint64_t)period;
    return 0;
}

int read_cpu_shares(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t shares = 0;
    if (take_int(value, where, INT64_MIN, INT64_MAX, &shares, error) < 0) {
        return -1;
    }
    if (shares != 0 && (shares < 2 || shares > 262144)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Invalid value %lld, range for cpu shares is 2 to 262144",
                            (long long)shares);
    }
    create->request->resources->cpu_shares = (uint64_t)shares;
    return 0;
}

/* The kernel's list format: "0-3,7". */
static int read_cpuset(const json_t *value, const char *where, const char *what, char **slot, struct bh_error *error)
{
    if (take_string(value, where, slot, error) < 0) {
        return -1;
    }
    for (const char *item = *slot; *item;) {
        char *end;
        if (*item < '0' || *item > '9') {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "Invalid value %s for cpuset %s: invalid format: %s", *slot,
                                what, *slot);
        }
        errno = 0;
        unsigned long first = strtoul(item, &end, 10);
        unsigned long last = first;
        if (*end == '-' && end[1] >= '0' && end[1] <= '9') {
            last = strtoul(end + 1, &end, 10);
        }
        bool more = *end == ',' && end[1];
        if (errno != 0 || last < first || last > 8191 || (*end && !more)) {
            return bh_error_set(error, BH_INVALID_ARGUMENT, "Invalid value %s for cpuset %s: invalid format: %s", *slot,
                                what, *slot);
        }
        item = more ? end + 1 : end;
    }
    return 0;
}

int read_cpuset_cpus(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_cpuset(value, where, "cpus", &create->request->resources->cpuset_cpus, error);
}

int read_cpuset_mems(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    return read_cpuset(value, where, "mems", &create->request->resources->cpuset_mems, error);
}

/* Anything below 1 means no limit. At creation it is then as if nobody had said anything. */
int read_pids_limit(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t limit = 0;
    if (json_is_null(value)) {
        return 0;
    }
    if (take_int(value, where, INT32_MIN, INT32_MAX, &limit, error) < 0) {
        return -1;
    }
    create->request->pids_limit_set = create->update || limit > 0;
    create->request->pids_limit = limit > 0 ? limit : 0;
    create->request->resources->pids_max = (uint64_t)create->request->pids_limit;
    return 0;
}

int read_blkio_weight(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int64_t weight = 0;
    if (take_int(value, where, 0, UINT16_MAX, &weight, error) < 0) {
        return -1;
    }
    if (weight != 0 && (weight < 10 || weight > 1000)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Range of blkio weight is from 10 to 1000");
    }
    create->request->resources->blkio_weight = (uint32_t)weight;
    return 0;
}

int read_oom_kill_disable(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    int on = 0;
    if (take_bool(value, where, &on, error) < 0) {
        return -1;
    }
    create->request->resources->oom_kill_disable = on;
    create->request->oom_kill_disable_set = !json_is_null(value);
    return 0;
}

static bool is_limit_name(const char *name)
{
    static const char *const names[] = {"core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue", "nice",
                                        "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static int read_ulimit(const json_t *value, Bulkhead__ResourceLimit *limit, struct bh_error *error)
{
    const json_t *name = json_object_get(value, "Name");
    const json_t *soft = json_object_get(value, "Soft");
    const json_t *hard = json_object_get(value, "Hard");
    if (!json_is_object(value) || !name || !soft || !hard || json_object_size(value) != 3) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "invalid JSON: HostConfig.Ulimits must be objects of Name, Soft and Hard");
    }
    if (take_string(name, "HostConfig.Ulimits.Name", &limit->name, error) < 0 ||
        read_amount(soft, "HostConfig.Ulimits.Soft", -1, &limit->soft, error) < 0 ||
        read_amount(hard, "HostConfig.Ulimits.Hard", -1, &limit->hard, error) < 0) {
        return -1;
    }
    if (!is_limit_name(limit->name)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid ulimit type: %s", limit->name);
    }
    if (limit->soft > limit->hard) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "ulimit soft limit must be less than or equal to hard limit: %s", limit->name);
    }
    return 0;
}

int read_ulimits(struct create *create, const json_t *value, const char *where, struct bh_error *error)
{
    Bulkhead__ContainerRequest *request = create->request;
    if (json_is_null(value)) {
        return 0;
    }
    size_t size = json_array_size(value);
    if (!json_is_array(value) || size > 64) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "invalid JSON: %s must be an array of at most 64 limits",
                            where);
    }
    request->limits = calloc(size + 1, sizeof(*request->limits));
    if (!request->limits) {
        return out_of_memory(error);
    }
    for (size_t i = 0; i < size; i++) {
        Bulkhead__ResourceLimit *limit = malloc(sizeof(*limit));
        if (!limit) {
            return out_of_memory(error);
        }
        bulkhead__resource_limit__init(limit);
        request->limits[request->n_limits++] = limit;
        if (read_ulimit(json_array_get(value, i), limit, error) < 0) {
            return -1;
        }
    }
    return 0;
}

static int finish_memory(Bulkhead__Resources *resources, bool update, struct bh_error *error)
{
    uint64_t memory = resources->memory_bytes;
    if (memory > 0 && memory < MEMORY_MIN_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Minimum memory limit allowed is 6MB");
    }
    if (!update && memory == 0 && resources->memory_swap_bytes > 0 && resources->memory_swap_bytes != UINT64_MAX) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "You should always set the Memory limit when using Memoryswap limit, see usage");
    }
    if (memory > 0 && resources->memory_swap_bytes > 0 && resources->memory_swap_bytes < memory) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Minimum memoryswap limit should be larger than memory limit, see usage");
    }
    if (resources->memory_reservation_bytes > 0 && resources->memory_reservation_bytes < MEMORY_MIN_BYTES) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Minimum memory reservation allowed is 6MB");
    }
    if (memory > 0 && memory < resources->memory_reservation_bytes) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Minimum memory limit can not be less than memory reservation limit, see usage");
    }
    /* As much swap as memory, unless the client says otherwise. */
    if (!update && memory > 0 && resources->memory_swap_bytes == 0 &&
        __builtin_mul_overflow(memory, 2, &resources->memory_swap_bytes)) {
        resources->memory_swap_bytes = UINT64_MAX;
    }
    return 0;
}

int resources_finish(struct create *create, struct bh_error *error)
{
    Bulkhead__Resources *resources = create->request->resources;
    int64_t nano_cpus = create->request->nano_cpus;
    if (resources->oom_kill_disable && resources->memory_bytes == 0) {
        create_warn(create, "OOM killer is disabled for the container, but no memory limit is set, this can result in "
                            "the system running out of resources.");
    }
    if (resources->cpu_realtime_period_us && resources->cpu_realtime_runtime_us > resources->cpu_realtime_period_us) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "cpu real-time runtime cannot be higher than cpu real-time "
                            "period");
    }
    if (finish_memory(resources, create->update, error) < 0) {
        return -1;
    }
    if (nano_cpus == 0) {
        return 0;
    }
    if (resources->cpu_period_us > 0 || (resources->cpu_quota_us > 0 && resources->cpu_quota_us != UINT64_MAX)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "Conflicting options: Nano CPUs and CPU %s cannot both be set",
                            resources->cpu_period_us > 0 ? "Period" : "Quota");
    }
    if (nano_cpus < NANO / 100 || nano_cpus > (int64_t)create->api->processors * NANO) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Range of CPUs is from 0.01 to %u.00, as there are only %u CPUs available",
                            create->api->processors, create->api->processors);
    }
    resources->cpu_period_us = CPU_PERIOD_US;
    resources->cpu_quota_us = (uint64_t)(nano_cpus / (NANO / CPU_PERIOD_US));
    return 0;
}
