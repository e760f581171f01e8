/* SPDX-License-Identifier: Apache-2.0
 *
 * A container's record: what the executor must know about a running container, in the container's own folder, so that
 * it needs no memory of its own. Written before the program runs, atomically. Not synced: after a power cut nothing
 * runs anyway, which the boot id tells.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct record {
    uint32_t magic, version;
    int32_t pid;
    uint32_t tenant_uid;
    uint64_t start_ticks; /* of the process, /proc/PID/stat: a pid used again has another one */
    int64_t started_at_ns;
    uint8_t boot_id[16];
    uint8_t id[32];
    char cgroup_parent[256];
    uint32_t packed_bytes; /* the spec as it was judged, behind the record */
    uint32_t shares_pid;   /* 1: its PID namespace is not its own, so that its processes outlive the first one */
};

#define RECORD_MAGIC   0x52434842U /* "BHCR" */
#define RECORD_VERSION 1U

int record_write(int folder, const struct record *record, const void *packed, struct bh_error *error);
/* NOT_FOUND: it was never started. DATA_LOSS: not one of ours. */
int record_read(int folder, const uint8_t id[static 32], struct record *ret_record, struct bh_error *error);
/* The spec behind the record, as it was judged; the caller's to free. */
int record_read_packed(int folder, const struct record *record, void **ret_packed, struct bh_error *error);
void record_remove(int folder);

/* The kernel's boot id. */
int record_boot_id(uint8_t ret_boot_id[static 16], struct bh_error *error);
/* When a process started, in clock ticks since boot. */
int record_start_ticks(int32_t pid, uint64_t *ret_ticks, struct bh_error *error);
/* A pidfd of the very process the record is about, if it still runs; -1 if it has ended. */
int record_open_process(const struct record *record, const uint8_t boot_id[static 16]);
