/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples of what containers use, shared by everybody who watches: one is taken at a time, and who asks meanwhile, or
 * within a second, gets the same. Called by stats.c only.
 */
#pragma once

#include "common/cleanup.h"
#include "services/engine/database.h"
#include "services/engine/jobs.h"

struct samples;

/* Never changes once it is handed out. */
struct sample {
    Bulkhead__StatsRead *stats;
    int network; /* the container's /proc/PID/net/dev; -1 if it has none of its own */
    /* samples.c's own */
    struct sample *next;
    uint8_t id[ENGINE_ID_BYTES];
    unsigned references;
    bool under_way;
    struct bh_error failure; /* why none could be taken */
};

int samples_new(struct samples **ret_samples, struct bh_error *error);
void samples_free(struct samples *samples);
/* Wakes everybody who waits for a sample, to look whether they were cancelled. */
void samples_wake(struct samples *samples);

/* A sample of a running container that is newer than `after_ns` and at most a second old; waits for the one that is
 * under way, whoever asked for it. The caller gives it back. Fails as policy_read_stats() does, for all who waited for
 * it. */
int samples_get(struct job *job, const struct container_row *row, int64_t after_ns, struct sample **ret_sample,
                struct bh_error *error);
void samples_put(struct samples *samples, struct sample *sample);
