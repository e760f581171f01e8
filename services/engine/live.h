/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container has in memory beyond its row: the lock that puts operations on it one after another, the connection
 * to its monitor, and clients that attached before it was started. An entry exists while somebody uses it, the
 * container runs, or clients wait. All functions are thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/channel.h"
#include "common/cleanup.h"
#include "common/limits.h"
#include "services/engine/jobs.h"

struct live_table;
struct live;

int live_new(struct live_table **ret_table, struct bh_error *error);
void live_free(struct live_table *table);

/* The entry of a container, made if need be; to be given back with live_put(). */
struct live *live_get(struct live_table *table, const uint8_t *id, struct bh_error *error);
void live_put(struct live *live);
void live_cleanup(struct live **live);
#define live_auto bh_cleanup(live_cleanup)

/* Takes the container's lock, waiting for whoever holds it. CANCELLED if the job is. */
int live_lock(struct live *live, struct job *job, struct bh_error *error);
void live_unlock(struct live *live);
void live_unlock_cleanup(struct live **live);
#define live_locked bh_cleanup(live_unlock_cleanup) __attribute__((unused)) struct live *

/* Wakes everybody who sleeps here, to look whether they were cancelled. */
void live_wake(struct live_table *table);

/* Running, as far as the engine has been told. Not running wakes live_wait_stopped(). */
void live_set_running(struct live *live, bool running);
bool live_is_running(struct live *live);
/* Waits until it is not running, at most `timeout_ms` (negative: for ever). 1 stopped, 0 timeout, -1 cancelled. */
int live_wait_stopped(struct live *live, struct job *job, int64_t timeout_ms, struct bh_error *error);

/* Around a signal and the event that tells of it. What the signal brings about is told afterwards: whoever tells of the
 * container's end waits for those that are on their way. */
void live_begin_signal(struct live *live);
void live_end_signal(struct live *live);
void live_wait_signals(struct live *live);

/* Between the stop and the start of a restart, --rm does not remove it. */
void live_keep_through_restart(struct live *live, bool keep);
bool live_is_kept_through_restart(struct live *live);

/* ---- the monitor -------------------------------------------------------------------------------- */

/* Gives the entry its monitor; it owns the channel from now on. */
void live_set_monitor(struct live *live, struct bh_channel *monitor);
bool live_has_monitor(struct live *live);
/* Borrows the monitor's channel, which stays until live_return_monitor(). NULL if there is none. */
struct bh_channel *live_borrow_monitor(struct live *live);
void live_return_monitor(struct live *live);
/* Waits until nobody borrows it, then closes it. */
void live_drop_monitor(struct live *live);

/* ---- clients attached before the start ---------------------------------------------------------- */

#define LIVE_STREAMS 3

/* Keeps three descriptors (taken in any case) for the next start. RESOURCE_EXHAUSTED beyond BH_ATTACHMENTS_MAX living
 * clients; FAILED_PRECONDITION if the container runs already. */
int live_keep_streams(struct live *live, const int streams[static LIVE_STREAMS], struct bh_error *error);
/* Takes all that wait: 3 descriptors each, now the caller's. Returns how many clients. */
size_t live_take_streams(struct live *live, int ret_streams[static BH_ATTACHMENTS_MAX * LIVE_STREAMS]);
