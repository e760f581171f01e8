/* SPDX-License-Identifier: Apache-2.0
 *
 * Quotas of memory, processors and processes against what a container asks for, and in place of what it does not ask
 * for, or asks to be without; see judge.h. A limit that is changed goes through both again, with all the others.
 */
#include "judge.h"
#include "judge_parts.h"

#define UNLIMITED        UINT64_MAX
#define CPU_PERIOD_US    100000ULL
#define CPU_QUOTA_MIN_US 1000ULL /* the kernel's */

/* As much swap as memory, which is what Docker gives to who asks for memory alone. */
static uint64_t with_swap(uint64_t memory_bytes)
{
    uint64_t sum;
    return __builtin_mul_overflow(memory_bytes, 2, &sum) ? UINT64_MAX : sum;
}

static int judge_memory(const Bulkhead__Resources *resources, const struct rules *rules, struct judgement *judgement)
{
    uint64_t most = rules->quotas.memory_bytes;
    if (most == 0) {
        return 0;
    }
    if (resources->memory_bytes != UNLIMITED && resources->memory_bytes > most) {
        return judge_refuse(judgement, rules, RULE_QUOTAS, "%llu bytes of memory are not allowed; at most %llu are",
                            (unsigned long long)resources->memory_bytes, (unsigned long long)most);
    }
    if (resources->memory_swap_bytes != UNLIMITED && resources->memory_swap_bytes > with_swap(most)) {
        return judge_refuse(judgement, rules, RULE_QUOTAS,
                            "%llu bytes of memory and swap are not allowed; at most %llu are",
                            (unsigned long long)resources->memory_swap_bytes, (unsigned long long)with_swap(most));
    }
    return 0;
}

/* `quota_us` of each `period_us`, of one processor or of several. */
static int judge_processors(uint64_t quota_us, uint64_t period_us, const struct rules *rules,
                            struct judgement *judgement)
{
    if (rules->quotas.cpu_quota_us == 0 || quota_us == UNLIMITED) {
        return 0;
    }
    uint64_t period = period_us ? period_us : CPU_PERIOD_US;
    uint64_t share = 0; /* what it is in a period of 100 ms */
    bool overflow = __builtin_mul_overflow(quota_us, CPU_PERIOD_US, &share);
    if (overflow || share / period > rules->quotas.cpu_quota_us) {
        return judge_refuse(judgement, rules, RULE_QUOTAS, "%.2f processors are not allowed; at most %.2f are",
                            (double)quota_us / (double)period, (double)rules->quotas.cpu_quota_us / CPU_PERIOD_US);
    }
    return 0;
}

int judge_limits(const Bulkhead__Resources *resources, const struct rules *rules, struct judgement *judgement)
{
    if (judge_memory(resources, rules, judgement) < 0) {
        return -1;
    }
    if (rules->quotas.pids && resources->pids_max != UNLIMITED && resources->pids_max > rules->quotas.pids) {
        return judge_refuse(judgement, rules, RULE_QUOTAS, "%llu processes are not allowed; at most %llu are",
                            (unsigned long long)resources->pids_max, (unsigned long long)rules->quotas.pids);
    }
    return judge_processors(resources->cpu_quota_us, resources->cpu_period_us, rules, judgement) < 0 ||
                   judge_processors(resources->cpu_realtime_runtime_us, resources->cpu_realtime_period_us, rules,
                                    judgement) < 0
               ? -1
               : 0;
}

void judge_resources(const Bulkhead__Resources *resources, const struct rules *rules, struct judgement *ret_judgement)
{
    if (judge_begin(rules, ret_judgement) < 0) {
        return;
    }
    (void)judge_limits(resources, rules, ret_judgement);
}

static bool has_none(uint64_t limit)
{
    return limit == 0 || limit == UNLIMITED;
}

static void fill_memory(uint64_t most, Bulkhead__Resources *resources)
{
    if (has_none(resources->memory_bytes)) {
        resources->memory_bytes = most;
    }
    if (resources->memory_swap_bytes == 0) {
        resources->memory_swap_bytes = with_swap(resources->memory_bytes);
    } else if (resources->memory_swap_bytes == UNLIMITED) {
        resources->memory_swap_bytes = with_swap(most);
    }
}

/* In the period that was asked for, unless the quota would be too short for the kernel there. */
static void fill_processors(uint64_t most_us, Bulkhead__Resources *resources)
{
    uint64_t period_us = resources->cpu_period_us ? resources->cpu_period_us : CPU_PERIOD_US;
    uint64_t quota_us = most_us * period_us / CPU_PERIOD_US;
    bool fits = quota_us >= CPU_QUOTA_MIN_US;
    resources->cpu_period_us = fits ? period_us : CPU_PERIOD_US;
    resources->cpu_quota_us = fits ? quota_us : most_us;
}

void judge_fill_resources(const struct rules *rules, Bulkhead__Resources *resources)
{
    if (rules->quotas.memory_bytes) {
        fill_memory(rules->quotas.memory_bytes, resources);
    }
    if (rules->quotas.pids && has_none(resources->pids_max)) {
        resources->pids_max = rules->quotas.pids;
    }
    if (rules->quotas.cpu_quota_us && has_none(resources->cpu_quota_us)) {
        fill_processors(rules->quotas.cpu_quota_us, resources);
    }
    if (rules->quotas.cpu_quota_us && resources->cpu_realtime_runtime_us == UNLIMITED) {
        resources->cpu_realtime_runtime_us = 0;
    }
}
