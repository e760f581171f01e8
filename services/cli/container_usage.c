/* SPDX-License-Identifier: Apache-2.0
 *
 * The sums that Docker's client does: what of a processor was used between two looks, and memory without the file cache
 * that can be dropped.
 */
#include "container_usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "human.h"

#define SHORT_ID_DIGITS 12

static double number(const json_t *sample, const char *path)
{
    return json_number_value(field_at(sample, path));
}

static double cpu_percent(const json_t *sample)
{
    double used =
        number(sample, "cpu_stats.cpu_usage.total_usage") - number(sample, "precpu_stats.cpu_usage.total_usage");
    double passed = number(sample, "cpu_stats.system_cpu_usage") - number(sample, "precpu_stats.system_cpu_usage");
    double cpus = number(sample, "cpu_stats.online_cpus");
    if (cpus == 0) {
        cpus = (double)json_array_size(field_at(sample, "cpu_stats.cpu_usage.percpu_usage"));
    }
    return used > 0 && passed > 0 ? used / passed * cpus * 100 : 0;
}

static double memory_used(const json_t *sample)
{
    static const char *const cache_fields[] = {"memory_stats.stats.total_inactive_file",
                                               "memory_stats.stats.inactive_file"};
    double usage = number(sample, "memory_stats.usage");
    for (size_t i = 0; i < 2; i++) {
        const json_t *cache = field_at(sample, cache_fields[i]);
        if (cache && json_number_value(cache) < usage) {
            return usage - json_number_value(cache);
        }
    }
    return usage;
}

static void sum_networks(const json_t *sample, double *ret_received, double *ret_sent)
{
    const char *name;
    json_t *network;
    json_object_foreach(field_at(sample, "networks"), name, network)
    {
        *ret_received += number(network, "rx_bytes");
        *ret_sent += number(network, "tx_bytes");
    }
}

static void sum_blocks(const json_t *sample, double *ret_read, double *ret_written)
{
    const json_t *entries = field_at(sample, "blkio_stats.io_service_bytes_recursive");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        char kind = field_text(entry, "op")[0];
        *ret_read += kind == 'r' || kind == 'R' ? number(entry, "value") : 0;
        *ret_written += kind == 'w' || kind == 'W' ? number(entry, "value") : 0;
    }
}

static json_t *pair_of(double first, double second)
{
    char left[HUMAN_BYTES], right[HUMAN_BYTES];
    return json_sprintf("%s / %s", human_size((uint64_t)first, left), human_size((uint64_t)second, right));
}

json_t *container_usage_row(const json_t *sample, const char *reference, bool whole)
{
    char used_text[HUMAN_BYTES], limit_text[HUMAN_BYTES];
    const char *id = field_text(sample, "id"), *name = field_text(sample, "name");
    id = *id ? id : "--";
    name += *name == '/';
    if (!sample) {
        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Container", reference, "ID", id, "Name",
                         "--", "CPUPerc", "--", "MemUsage", "-- / --", "MemPerc", "--", "NetIO", "--", "BlockIO", "--",
                         "PIDs", "--");
    }
    double used = memory_used(sample), limit = number(sample, "memory_stats.limit");
    double received = 0, sent = 0, read = 0, written = 0;
    sum_networks(sample, &received, &sent);
    sum_blocks(sample, &read, &written);
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "Container", reference, "ID",
                     json_sprintf("%.*s", whole ? (int)strlen(id) : SHORT_ID_DIGITS, id), "Name", *name ? name : "--",
                     "CPUPerc", json_sprintf("%.2f%%", cpu_percent(sample)), "MemUsage",
                     json_sprintf("%s / %s", human_size_binary((uint64_t)used, used_text),
                                  human_size_binary((uint64_t)limit, limit_text)),
                     "MemPerc", json_sprintf("%.2f%%", limit > 0 ? used / limit * 100 : 0), "NetIO",
                     pair_of(received, sent), "BlockIO", pair_of(read, written), "PIDs",
                     json_sprintf("%lld", (long long)field_integer(sample, "pids_stats.current")));
}
