/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel counts of a container: numbers of its cgroup and of the host, and nothing that anybody wrote. Called
 * by measure.c.
 */
#pragma once

#include "executor.h"
#include "running.h"

/* Everything of one sample. The message borrows from the rest; freed with stats_free(). */
struct stats {
    Bulkhead__StatsRead message;
    void *owned;
};

int stats_read(const struct executor *executor, const struct running *running, struct stats *ret_stats,
               struct bh_error *error);
void stats_free(struct stats *stats);

/* ---- pure parts, for the tests ---------------------------------------------------------------------------- */

/* The number behind `name` in a file of lines "name number"; 0 if there is no such line. */
uint64_t stats_find(const char *text, const char *name);
/* The host's processor time in ns, and how many processors it has, from /proc/stat. */
void stats_system(const char *text, uint64_t *ret_ns, uint32_t *ret_processors);
/* Whether `name` is one of a memory.stat: letters, digits and underscores. */
bool stats_is_name(const char *name, size_t length);
/* One line of a v1 file of block devices, "8:0 Read 4096"; one word of a v2 line, "rbytes=4096", with `device` "8:0".
 * False if it is none, or not of those that are told. The operation points to a constant. */
bool stats_block_line(const char *line, uint32_t *ret_major, uint32_t *ret_minor, const char **ret_operation,
                      uint64_t *ret_value);
