/* SPDX-License-Identifier: Apache-2.0
 *
 * See kernel.h.
 */
#include "services/engine/kernel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "services/engine/policy.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Bulkhead__KernelDescribed *known; /* of this boot: it does not change */

int kernel_describe(struct job *job, const Bulkhead__KernelDescribed **ret_kernel, struct bh_error *error)
{
    bh_automessage struct bh_message *message = NULL;
    ProtobufCMessage *copy = NULL;
    (void)pthread_mutex_lock(&lock);
    *ret_kernel = known;
    (void)pthread_mutex_unlock(&lock);
    if (*ret_kernel) {
        return 0;
    }
    if (policy_describe_kernel(job, &message, error) < 0) {
        return -1;
    }
    const Bulkhead__KernelDescribed *described = bh_message_body(message);
    if (message_copy(&described->base, &copy, error) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&lock);
    if (known) { /* another job was faster */
        bulkhead__kernel_described__free_unpacked((Bulkhead__KernelDescribed *)copy, NULL);
    } else {
        known = (Bulkhead__KernelDescribed *)copy;
    }
    *ret_kernel = known;
    (void)pthread_mutex_unlock(&lock);
    return 0;
}

/* ---- the kernel's lists: "0-3,7" --------------------------------------------------------------------------- */

static bool has_number(const char *list, unsigned long number)
{
    for (const char *at = list; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (*end == '-') {
            last = strtoul(end + 1, &end, 10);
        }
        if (number >= first && number <= last) {
            return true;
        }
        at = *end == ',' ? end + 1 : "";
    }
    return false;
}

/* Whether every number of `wanted` is in `available`. Both have been checked for their form. */
static bool has_all(const char *available, const char *wanted)
{
    for (const char *at = wanted; *at;) {
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (*end == '-') {
            last = strtoul(end + 1, &end, 10);
        }
        for (unsigned long number = first; number <= last; number++) {
            if (!has_number(available, number)) {
                return false;
            }
        }
        at = *end == ',' ? end + 1 : "";
    }
    return true;
}

static int check_sets(const Bulkhead__KernelDescribed *kernel, const Bulkhead__Resources *resources,
                      struct bh_error *error)
{
    if (kernel->cpus[0] && !has_all(kernel->cpus, resources->cpuset_cpus)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Requested CPUs are not available - requested %s, available: %s", resources->cpuset_cpus,
                            kernel->cpus);
    }
    if (kernel->memory_nodes[0] && !has_all(kernel->memory_nodes, resources->cpuset_mems)) {
        return bh_error_set(error, BH_INVALID_ARGUMENT,
                            "Requested memory nodes are not available - requested %s, available: %s",
                            resources->cpuset_mems, kernel->memory_nodes);
    }
    return 0;
}

/* ---- what it lacks ------------------------------------------------------------------------------------------ */

static void warn(char *warnings[static KERNEL_WARNINGS_MAX], size_t *n, const char *text)
{
    if (*n < KERNEL_WARNINGS_MAX) {
        warnings[(*n)++] = (char *)(uintptr_t)text;
    }
}

/* Borrowed lists are left to whoever owns the message: it is the count that says what there is. */
static void fit_blocks(const Bulkhead__KernelDescribed *kernel, Bulkhead__Resources *resources,
                       char *warnings[static KERNEL_WARNINGS_MAX], size_t *n)
{
    if (resources->blkio_weight && !kernel->block_weight) {
        resources->blkio_weight = 0;
        warn(warnings, n,
             "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.");
    }
    if (resources->n_weights && !kernel->block_weight_device) {
        for (size_t i = 0; i < resources->n_weights; i++) {
            bulkhead__device_limit__free_unpacked(resources->weights[i], NULL);
        }
        resources->n_weights = 0;
        warn(warnings, n,
             "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device "
             "discarded.");
    }
}

int kernel_fit_to(const Bulkhead__KernelDescribed *kernel, Bulkhead__Resources *resources,
                  char *ret_warnings[static KERNEL_WARNINGS_MAX], size_t *ret_n, struct bh_error *error)
{
    if (check_sets(kernel, resources, error) < 0) {
        return -1;
    }
    if (resources->memory_bytes && !kernel->memory_limit) {
        resources->memory_bytes = 0;
        resources->memory_swap_bytes = 0;
        warn(ret_warnings, ret_n,
             "Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation "
             "discarded.");
    }
    if (resources->memory_bytes && resources->memory_swap_bytes != UINT64_MAX && !kernel->swap_limit) {
        resources->memory_swap_bytes = UINT64_MAX;
        warn(
            ret_warnings, ret_n,
            "Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without "
            "swap.");
    }
    if (resources->memory_swappiness_set && !kernel->memory_swappiness) {
        resources->memory_swappiness_set = false;
        resources->memory_swappiness = 0;
        warn(ret_warnings, ret_n,
             "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory "
             "swappiness discarded.");
    }
    if (resources->memory_reservation_bytes && !kernel->memory_reservation) {
        resources->memory_reservation_bytes = 0;
        warn(ret_warnings, ret_n,
             "Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation "
             "discarded.");
    }
    if (resources->oom_kill_disable && !kernel->oom_kill_disable) {
        resources->oom_kill_disable = false;
        warn(ret_warnings, ret_n, "Your kernel does not support OomKillDisable. OomKillDisable discarded.");
    }
    if (resources->pids_max && !kernel->pids_limit) {
        resources->pids_max = 0;
        warn(
            ret_warnings, ret_n,
            "Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.");
    }
    if ((resources->cpu_realtime_period_us || resources->cpu_realtime_runtime_us) && !kernel->cpu_realtime) {
        return bh_error_set(error, BH_INVALID_ARGUMENT, "kernel does not support CPU real-time scheduler");
    }
    fit_blocks(kernel, resources, ret_warnings, ret_n);
    return 0;
}

int kernel_fit(struct job *job, Bulkhead__Resources *resources, char *ret_warnings[static KERNEL_WARNINGS_MAX],
               size_t *ret_n, struct bh_error *error)
{
    const Bulkhead__KernelDescribed *kernel;
    return kernel_describe(job, &kernel, error) < 0 ? -1 : kernel_fit_to(kernel, resources, ret_warnings, ret_n, error);
}
