/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's processes as the executor's worker found them (common/process_record.h): the kernel's files, read here,
 * in the tenant's own process. Names and command lines are the container's bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct process {
    int32_t pid, ppid, pgrp, session, tty, foreground;
    uint32_t uid, gid, threads, processor;
    char state;
    int32_t priority, nice;
    uint64_t cpu_ticks, start_ticks; /* of USER_HZ, 100 a second; the latter since boot */
    uint64_t virtual_bytes, resident_pages;
    bool locked;      /* has pages locked into memory */
    const char *name; /* not NUL-terminated */
    size_t name_bytes;
    const char *command; /* arguments, each ended by NUL */
    size_t command_bytes;
};

struct process_list {
    int64_t boot_s;  /* when the host was booted */
    double uptime_s; /* and how long ago */
    struct process *processes;
    size_t n;
    char *bytes; /* what they point into */
};

/* Reads the whole descriptor. INTERNAL if it is not what a worker writes. */
int process_list_read(int fd, struct process_list *ret_list, struct bh_error *error);
/* The same from memory, which the list takes over. */
int process_list_parse(char *bytes, size_t n_bytes, struct process_list *ret_list, struct bh_error *error);
void process_list_free(struct process_list *list);

/* One file; pure, for the tests. `text` is NUL-terminated. */
bool process_parse_stat(const char *text, struct process *process);
