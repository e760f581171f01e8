/* SPDX-License-Identifier: Apache-2.0
 *
 * See stats.h. Files are read once, whole and bounded; a file that this kernel lacks counts as empty.
 */
#include "stats.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "own_files.h"

#define FILE_BYTES_MAX 65536
#define NAMES_MAX      128
#define BLOCKS_MAX     256
#define PROCESSORS_MAX 4096
#define NS_PER_TICK    10000000ULL /* USER_HZ is 100 on every architecture that is supported */

/* What a message points into. */
struct owned {
    char text[FILE_BYTES_MAX];
    uint64_t processors[PROCESSORS_MAX];
    Bulkhead__Number numbers[NAMES_MAX];
    Bulkhead__Number *number_list[NAMES_MAX];
    char names[NAMES_MAX][48];
    Bulkhead__BlockNumber blocks[BLOCKS_MAX];
    Bulkhead__BlockNumber *block_list[BLOCKS_MAX];
};

/* ---- text to numbers --------------------------------------------------------------------------------------- */

uint64_t stats_find(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ') {
            return strtoull(line + length + 1, NULL, 10);
        }
    }
    return 0;
}

void stats_system(const char *text, uint64_t *ret_ns, uint32_t *ret_processors)
{
    uint64_t ticks = 0;
    uint32_t processors = 0;
    for (const char *line = text; line && strncmp(line, "cpu", 3) == 0;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (line[3] != ' ') {
            processors++;
            continue;
        }
        char *at = (char *)(uintptr_t)line + 4;
        for (int field = 0; field < 7; field++) { /* user to softirq, as Docker adds them up */
            ticks += strtoull(at, &at, 10);
        }
    }
    *ret_ns = ticks * NS_PER_TICK;
    *ret_processors = processors;
}

bool stats_is_name(const char *name, size_t length)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return length > 0 && length < sizeof(((struct owned *)0)->names[0]) && strspn(name, allowed) >= length;
}

bool stats_block_line(const char *line, uint32_t *ret_major, uint32_t *ret_minor, const char **ret_operation,
                      uint64_t *ret_value)
{
    static const char *const operations[] = {"Read", "Write", "Sync", "Async", "Discard", "Total"};
    char word[16];
    unsigned long long value;
    if (sscanf(line, "%u:%u %15s %llu", ret_major, ret_minor, word, &value) != 4) {
        return false;
    }
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operations[i], word) == 0) {
            *ret_operation = operations[i];
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* ---- files ---------------------------------------------------------------------------------------------------- */

/* The file's text, ended with NUL; "" if it is not there. */
static const char *read_file(int folder, const char *name, struct owned *owned)
{
    size_t n = 0;
    bh_autoclose int fd = folder >= 0 ? openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;
    if (fd < 0 || bh_read_full(fd, owned->text, sizeof(owned->text) - 1, &n, name, NULL) < 0) {
        n = 0;
    }
    owned->text[n] = '\0';
    return owned->text;
}

/* A file that holds one number; "max" is 2^64-1. */
static uint64_t read_number(int folder, const char *name, struct owned *owned)
{
    const char *text = read_file(folder, name, owned);
    return strncmp(text, "max", 3) == 0 ? UINT64_MAX : strtoull(text, NULL, 10);
}

static void read_memory_names(int folder, struct owned *owned, Bulkhead__StatsRead *message)
{
    message->memory = owned->number_list;
    for (const char *line = read_file(folder, "memory.stat", owned); *line && message->n_memory < NAMES_MAX;) {
        size_t length = strcspn(line, " \n");
        if (line[length] == ' ' && stats_is_name(line, length)) {
            size_t n = message->n_memory++;
            memcpy(owned->names[n], line, length);
            bulkhead__number__init(&owned->numbers[n]);
            owned->numbers[n].name = owned->names[n];
            owned->numbers[n].value = strtoull(line + length + 1, NULL, 10);
            owned->number_list[n] = &owned->numbers[n];
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

static void add_block(struct owned *owned, Bulkhead__StatsRead *message, Bulkhead__BlockList list, uint32_t major,
                      uint32_t minor, const char *operation, uint64_t value)
{
    if (message->n_blocks == BLOCKS_MAX) {
        return;
    }
    Bulkhead__BlockNumber *block = &owned->blocks[message->n_blocks];
    bulkhead__block_number__init(block);
    block->list = list;
    block->major = major;
    block->minor = minor;
    block->operation = (char *)(uintptr_t)operation;
    block->value = value;
    owned->block_list[message->n_blocks++] = block;
}

static void read_v1_blocks(int folder, const char *name, Bulkhead__BlockList list, struct owned *owned,
                           Bulkhead__StatsRead *message)
{
    for (const char *line = read_file(folder, name, owned); *line;) {
        uint32_t major, minor;
        const char *operation;
        uint64_t value;
        if (stats_block_line(line, &major, &minor, &operation, &value)) {
            add_block(owned, message, list, major, minor, operation, value);
        }
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0" */
static void read_v2_blocks(int folder, struct owned *owned, Bulkhead__StatsRead *message)
{
    static const struct {
        const char *key, *operation;
        Bulkhead__BlockList list;
    } keys[] = {{" rbytes=", "read", BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICE_BYTES},
                {" wbytes=", "write", BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICE_BYTES},
                {" rios=", "read", BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICED},
                {" wios=", "write", BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICED}};
    char *rest = (char *)(uintptr_t)read_file(folder, "io.stat", owned), *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        uint32_t major, minor;
        if (sscanf(line, "%u:%u", &major, &minor) != 2) {
            continue;
        }
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            const char *at = strstr(line, keys[i].key);
            if (at) {
                add_block(owned, message, keys[i].list, major, minor, keys[i].operation,
                          strtoull(at + strlen(keys[i].key), NULL, 10));
            }
        }
    }
}

/* ---- the two kinds of cgroups ----------------------------------------------------------------------------------- */

static void read_v1(const struct cgroup *cgroup, struct owned *owned, Bulkhead__StatsRead *message)
{
    int cpuacct = cgroup_folder(cgroup, "cpuacct"), memory = cgroup_folder(cgroup, "memory");
    int blkio = cgroup_folder(cgroup, "blkio"), pids = cgroup_folder(cgroup, "pids");
    message->cpu_total_ns = read_number(cpuacct, "cpuacct.usage", owned);
    message->cpu_user_ns = read_number(cpuacct, "cpuacct.usage_user", owned);
    message->cpu_kernel_ns = read_number(cpuacct, "cpuacct.usage_sys", owned);
    message->cpu_each_ns = owned->processors;
    char *at = (char *)(uintptr_t)read_file(cpuacct, "cpuacct.usage_percpu", owned), *end;
    for (; message->n_cpu_each_ns < PROCESSORS_MAX; at = end) {
        uint64_t value = strtoull(at, &end, 10);
        if (end == at) {
            break;
        }
        owned->processors[message->n_cpu_each_ns++] = value;
    }
    const char *text = read_file(cgroup_folder(cgroup, "cpu"), "cpu.stat", owned);
    message->periods = stats_find(text, "nr_periods");
    message->throttled_periods = stats_find(text, "nr_throttled");
    message->throttled_ns = stats_find(text, "throttled_time");
    message->memory_bytes = read_number(memory, "memory.usage_in_bytes", owned);
    message->memory_most_bytes = read_number(memory, "memory.max_usage_in_bytes", owned);
    message->memory_limit_bytes = read_number(memory, "memory.limit_in_bytes", owned);
    message->memory_failures = read_number(memory, "memory.failcnt", owned);
    read_memory_names(memory, owned, message);
    message->pids = read_number(pids, "pids.current", owned);
    message->pids_limit = read_number(pids, "pids.max", owned);
    read_v1_blocks(blkio, "blkio.throttle.io_service_bytes_recursive", BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICE_BYTES,
                   owned, message);
    read_v1_blocks(blkio, "blkio.throttle.io_serviced_recursive", BULKHEAD__BLOCK_LIST__BLOCK_LIST_SERVICED, owned,
                   message);
}

static void read_v2(const struct cgroup *cgroup, struct owned *owned, Bulkhead__StatsRead *message)
{
    int folder = cgroup->folders[0];
    const char *text = read_file(folder, "cpu.stat", owned);
    message->cpu_total_ns = stats_find(text, "usage_usec") * 1000;
    message->cpu_user_ns = stats_find(text, "user_usec") * 1000;
    message->cpu_kernel_ns = stats_find(text, "system_usec") * 1000;
    message->periods = stats_find(text, "nr_periods");
    message->throttled_periods = stats_find(text, "nr_throttled");
    message->throttled_ns = stats_find(text, "throttled_usec") * 1000;
    message->memory_bytes = read_number(folder, "memory.current", owned);
    message->memory_limit_bytes = read_number(folder, "memory.max", owned);
    read_memory_names(folder, owned, message);
    message->pids = read_number(folder, "pids.current", owned);
    message->pids_limit = read_number(folder, "pids.max", owned);
    read_v2_blocks(folder, owned, message);
}

int stats_read(const struct executor *executor, const struct running *running, struct stats *ret_stats,
               struct bh_error *error)
{
    struct cgroup cgroup;
    struct sysinfo host = {0};
    struct owned *owned = calloc(1, sizeof(*owned));
    *ret_stats = (struct stats){.owned = owned};
    Bulkhead__StatsRead *message = &ret_stats->message;
    bulkhead__stats_read__init(message);
    if (!owned) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a container's numbers");
    }
    if (cgroup_open(&executor->cgroups, running->record.cgroup_parent, running->name, &cgroup, error) < 0) {
        return -1;
    }
    message->cgroup_version = (uint32_t)executor->cgroups.version;
    message->read_ns = bh_wall_ns();
    message->blocks = owned->block_list;
    if (executor->cgroups.version == 2) {
        read_v2(&cgroup, owned, message);
    } else {
        read_v1(&cgroup, owned, message);
    }
    cgroup_close(&cgroup);
    bh_autoclose int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    stats_system(read_file(proc, "stat", owned), &message->system_ns, &message->online_cpus);
    (void)sysinfo(&host);
    message->host_memory_bytes = (uint64_t)host.totalram * host.mem_unit;
    return own_files_measure(running->folder, &message->disk_bytes, &message->disk_limit_bytes, error);
}

void stats_free(struct stats *stats)
{
    free(stats->owned);
    stats->owned = NULL;
}
