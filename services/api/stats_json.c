/* SPDX-License-Identifier: Apache-2.0
 *
 * See stats_json.h.
 */
#include "stats_json.h"

#include <stdio.h>
#include <string.h>

#include "json_types.h"

size_t network_parse(const char *text, struct network_numbers *ret_numbers, size_t max)
{
    size_t n = 0;
    for (const char *line = text; line && *line && n < max; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        struct network_numbers *numbers = &ret_numbers[n];
        const char *name = line + strspn(line, " ");
        size_t length = strcspn(name, ":\n");
        if (name[length] != ':' || length == 0 || length >= NETWORK_NAME_SIZE) {
            continue; /* the two lines of titles have no colon */
        }
        *numbers = (struct network_numbers){0};
        memcpy(numbers->name, name, length);
        unsigned long long rx[4], tx[4];
        if (sscanf(name + length + 1, "%llu %llu %llu %llu %*u %*u %*u %*u %llu %llu %llu %llu", &rx[0], &rx[1], &rx[2],
                   &rx[3], &tx[0], &tx[1], &tx[2], &tx[3]) != 8 ||
            strcmp(numbers->name, "lo") == 0) {
            continue;
        }
        numbers->rx_bytes = rx[0];
        numbers->rx_packets = rx[1];
        numbers->rx_errors = rx[2];
        numbers->rx_dropped = rx[3];
        numbers->tx_bytes = tx[0];
        numbers->tx_packets = tx[1];
        numbers->tx_errors = tx[2];
        numbers->tx_dropped = tx[3];
        n++;
    }
    return n;
}

static void write_blocks(struct json_writer *writer, const char *key, const Bulkhead__StatsRead *sample,
                         Bulkhead__BlockList list)
{
    if (!sample || (sample->cgroup_version == 2 && list == BULKHEAD__BLOCK_LIST__BLOCK_LIST_UNSPECIFIED)) {
        write_null(writer, key);
        return;
    }
    write_array(writer, key);
    for (size_t i = 0; i < sample->n_blocks; i++) {
        const Bulkhead__BlockNumber *block = sample->blocks[i];
        if (block->list != list) {
            continue;
        }
        write_object(writer, NULL);
        write_uint(writer, "major", block->major);
        write_uint(writer, "minor", block->minor);
        write_string(writer, "op", block->operation);
        write_uint(writer, "value", block->value);
        write_object_end(writer);
    }
    write_array_end(writer);
}

static void write_all_blocks(struct json_writer *writer, const Bulkhead__StatsRead *sample)
{
    static const char *const empty[] = {"io_queue_recursive",  "io_service_time_recursive", "io_wait_time_recursive",
                                        "io_merged_recursive", "io_time_recursive",         "sectors_recursive"};
    write_object(writer, "blkio_stats");
    write_blocks(writer, "io_service_bytes_recursive", sample, BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICE_BYTES);
    write_blocks(writer, "io_serviced_recursive", sample, BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICED);
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++) {
        write_blocks(writer, empty[i], sample, BULKHEAD__BLOCK_LIST__BLOCK_LIST_UNSPECIFIED);
    }
    write_object_end(writer);
}

static void write_cpu(struct json_writer *writer, const char *key, const Bulkhead__StatsRead *sample)
{
    static const Bulkhead__StatsRead nothing = BULKHEAD__STATS_READ__INIT;
    const Bulkhead__StatsRead *numbers = sample ? sample : &nothing;
    write_object(writer, key);
    write_object(writer, "cpu_usage");
    write_uint(writer, "total_usage", numbers->cpu_total_ns);
    if (numbers->n_cpu_each_ns > 0) {
        write_array(writer, "percpu_usage");
        for (size_t i = 0; i < numbers->n_cpu_each_ns; i++) {
            write_uint(writer, NULL, numbers->cpu_each_ns[i]);
        }
        write_array_end(writer);
    }
    write_uint(writer, "usage_in_kernelmode", numbers->cpu_kernel_ns);
    write_uint(writer, "usage_in_usermode", numbers->cpu_user_ns);
    write_object_end(writer);
    if (sample) {
        write_uint(writer, "system_cpu_usage", sample->system_ns);
        write_uint(writer, "online_cpus", sample->online_cpus);
    }
    write_object(writer, "throttling_data");
    write_uint(writer, "periods", numbers->periods);
    write_uint(writer, "throttled_periods", numbers->throttled_periods);
    write_uint(writer, "throttled_time", numbers->throttled_ns);
    write_object_end(writer);
    write_object_end(writer);
}

static void write_memory(struct json_writer *writer, const Bulkhead__StatsRead *sample)
{
    write_object(writer, "memory_stats");
    if (sample) {
        bool limited = sample->memory_limit_bytes > 0 && sample->memory_limit_bytes < sample->host_memory_bytes;
        write_uint(writer, "usage", sample->memory_bytes);
        if (sample->cgroup_version == 1) {
            write_uint(writer, "max_usage", sample->memory_most_bytes);
        }
        write_object(writer, "stats");
        for (size_t i = 0; i < sample->n_memory; i++) {
            write_uint(writer, sample->memory[i]->name, sample->memory[i]->value);
        }
        write_object_end(writer);
        if (sample->memory_failures > 0) {
            write_uint(writer, "failcnt", sample->memory_failures);
        }
        write_uint(writer, "limit", limited ? sample->memory_limit_bytes : sample->host_memory_bytes);
    }
    write_object_end(writer);
}

static void write_networks_of(struct json_writer *writer, const struct network_numbers *networks, size_t n_networks)
{
    if (n_networks == 0) {
        return;
    }
    write_object(writer, "networks");
    for (size_t i = 0; i < n_networks; i++) {
        write_object(writer, networks[i].name);
        write_uint(writer, "rx_bytes", networks[i].rx_bytes);
        write_uint(writer, "rx_packets", networks[i].rx_packets);
        write_uint(writer, "rx_errors", networks[i].rx_errors);
        write_uint(writer, "rx_dropped", networks[i].rx_dropped);
        write_uint(writer, "tx_bytes", networks[i].tx_bytes);
        write_uint(writer, "tx_packets", networks[i].tx_packets);
        write_uint(writer, "tx_errors", networks[i].tx_errors);
        write_uint(writer, "tx_dropped", networks[i].tx_dropped);
        write_object_end(writer);
    }
    write_object_end(writer);
}

void write_stats(struct json_writer *writer, const Bulkhead__Stats *stats, const Bulkhead__StatsRead *sample,
                 const Bulkhead__StatsRead *before, const struct network_numbers *networks, size_t n_networks)
{
    char id[65];
    write_object(writer, NULL);
    write_time(writer, "read", sample ? sample->read_ns : 0);
    write_time(writer, "preread", sample && before ? before->read_ns : 0);
    write_object(writer, "pids_stats");
    if (sample) {
        write_uint(writer, "current", sample->pids);
        if (sample->pids_limit > 0 && sample->pids_limit != UINT64_MAX) {
            write_uint(writer, "limit", sample->pids_limit);
        }
    }
    write_object_end(writer);
    write_all_blocks(writer, sample);
    write_uint(writer, "num_procs", 0); /* Windows' */
    write_object(writer, "storage_stats");
    if (sample && sample->disk_limit_bytes > 0) {
        write_uint(writer, "usage", sample->disk_bytes);
        write_uint(writer, "limit", sample->disk_limit_bytes);
    }
    write_object_end(writer);
    write_cpu(writer, "cpu_stats", sample);
    write_cpu(writer, "precpu_stats", sample ? before : NULL);
    write_memory(writer, sample);
    write_format(writer, "name", "/%s", stats->name);
    write_string(writer, "id", id_hex(&stats->id, id));
    write_networks_of(writer, networks, n_networks);
    write_object_end(writer);
}
