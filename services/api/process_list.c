/* SPDX-License-Identifier: Apache-2.0
 *
 * See process_list.h.
 */
#include "process_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/io.h"
#include "common/limits.h"
#include "common/process_record.h"

#define LIST_BYTES_MAX (64 * BH_MIB)
#define FILE_BYTES_MAX 8192U

bool process_parse_stat(const char *text, struct process *process)
{
    const char *open = strchr(text, '('), *close = strrchr(text, ')'); /* the name may hold both */
    if (!open || !close || close < open || close[1] != ' ') {
        return false;
    }
    unsigned long long user, kernel, start, virtual_bytes;
    long long priority, nice, threads, resident;
    int processor = 0;
    process->name = open + 1;
    process->name_bytes = (size_t)(close - open - 1);
    int n =
        sscanf(close + 2,
               "%c %d %d %d %d %d %*u %*u %*u %*u %*u %llu %llu %*d %*d %lld %lld %lld %*d %llu %llu %lld %*u %*u %*u "
               "%*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*d %d",
               &process->state, &process->ppid, &process->pgrp, &process->session, &process->tty, &process->foreground,
               &user, &kernel, &priority, &nice, &threads, &start, &virtual_bytes, &resident, &processor);
    if (n < 14) {
        return false;
    }
    process->cpu_ticks = user + kernel;
    process->priority = (int32_t)priority;
    process->nice = (int32_t)nice;
    process->threads = threads > 0 ? (uint32_t)threads : 1;
    process->start_ticks = start;
    process->virtual_bytes = virtual_bytes;
    process->resident_pages = resident > 0 ? (uint64_t)resident : 0;
    process->processor = processor > 0 ? (uint32_t)processor : 0;
    return true;
}

/* The second number, the effective id, of "Uid:\t0\t0\t0\t0". */
static uint32_t find_id(const char *text, const char *key)
{
    const char *line = strstr(text, key);
    unsigned int real, effective = 0;
    return line && sscanf(line + strlen(key), "%u %u", &real, &effective) == 2 ? effective : 0;
}

/* A NUL-terminated copy of `n_bytes` at `from`. */
static void copy_text(const char *from, uint32_t n_bytes, char text[static FILE_BYTES_MAX + 1])
{
    memcpy(text, from, n_bytes);
    text[n_bytes] = '\0';
}

static void parse_one(const struct bh_process_record *record, const char *at, struct process_list *list)
{
    char text[FILE_BYTES_MAX + 1];
    struct process process = {.pid = record->pid};
    copy_text(at, record->stat_bytes, text);
    if (record->pid == 0) {
        (void)sscanf(text, "btime %ld", &list->boot_s);
        copy_text(at + record->stat_bytes, record->status_bytes, text);
        list->uptime_s = strtod(text, NULL);
        return;
    }
    if (!process_parse_stat(text, &process)) {
        return;
    }
    process.name = at + (process.name - text);
    copy_text(at + record->stat_bytes, record->status_bytes, text);
    process.uid = find_id(text, "\nUid:");
    process.gid = find_id(text, "\nGid:");
    const char *locked = strstr(text, "\nVmLck:");
    process.locked = locked && strtoull(locked + 7, NULL, 10) > 0;
    process.command = at + record->stat_bytes + record->status_bytes;
    process.command_bytes = record->command_bytes;
    list->processes[list->n++] = process;
}

int process_list_parse(char *bytes, size_t n_bytes, struct process_list *ret_list, struct bh_error *error)
{
    bh_cleanup(process_list_free) struct process_list list = {.bytes = bytes};
    list.processes = calloc(BH_PROCESSES_MAX + 1, sizeof(*list.processes));
    if (!list.processes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list of processes");
    }
    for (size_t at = 0; at < n_bytes && list.n < BH_PROCESSES_MAX;) {
        struct bh_process_record record;
        if (n_bytes - at < sizeof(record)) {
            return bh_error_set(error, BH_INTERNAL, "the list of processes is cut off");
        }
        memcpy(&record, bytes + at, sizeof(record));
        at += sizeof(record);
        if (record.stat_bytes > FILE_BYTES_MAX || record.status_bytes > FILE_BYTES_MAX ||
            record.command_bytes > BH_PROCESS_COMMAND_BYTES ||
            record.stat_bytes + record.status_bytes + record.command_bytes > n_bytes - at) {
            return bh_error_set(error, BH_INTERNAL, "the list of processes is cut off");
        }
        parse_one(&record, bytes + at, &list);
        at += record.stat_bytes + record.status_bytes + record.command_bytes;
    }
    *ret_list = list;
    list = (struct process_list){0};
    return 0;
}

int process_list_read(int fd, struct process_list *ret_list, struct bh_error *error)
{
    struct stat status;
    size_t n = 0;
    if (fstat(fd, &status) < 0 || status.st_size < 0 || (uint64_t)status.st_size > LIST_BYTES_MAX ||
        lseek(fd, 0, SEEK_SET) < 0) {
        return bh_error_set(error, BH_INTERNAL, "the list of processes cannot be read");
    }
    char *bytes = malloc((size_t)status.st_size + 1);
    if (!bytes) {
        return bh_error_set(error, BH_RESOURCE_EXHAUSTED, "no memory for a list of processes");
    }
    if (bh_read_full(fd, bytes, (size_t)status.st_size, &n, "a list of processes", error) < 0) {
        free(bytes);
        return -1;
    }
    return process_list_parse(bytes, n, ret_list, error);
}

void process_list_free(struct process_list *list)
{
    free(list->processes);
    free(list->bytes);
    *list = (struct process_list){0};
}
