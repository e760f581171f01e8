/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of live containers; see live.h. One mutex and one condition for all: what is done under them is a few
 * instructions, and who sleeps is woken seldom.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "common/io.h"
#include "services/engine/database.h"
#include "services/engine/live.h"

#define BUCKETS 1024

struct live {
    struct live_table *table;
    struct live *next;
    uint8_t id[ENGINE_ID_BYTES];
    unsigned references;
    bool locked, running;
    unsigned restarts; /* that are under way */
    unsigned signals;  /* sent, and not yet told of */
    struct bh_channel *monitor;
    unsigned borrowers;
    int streams[BH_ATTACHMENTS_MAX][LIVE_STREAMS];
    size_t n_clients;
};

struct live_table {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct live *buckets[BUCKETS];
};

int live_new(struct live_table **ret_table, struct bh_error *error)
{
    struct live_table *table = calloc(1, sizeof *table);
    if (!table) {
        return bh_error_errno(error, ENOMEM, "make the table of containers");
    }
    pthread_condattr_t clock;
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&table->mutex, NULL);
    (void)pthread_cond_init(&table->changed, &clock);
    (void)pthread_condattr_destroy(&clock);
    *ret_table = table;
    return 0;
}

static void close_streams(struct live *live)
{
    for (size_t i = 0; i < live->n_clients; i++) {
        for (size_t j = 0; j < LIVE_STREAMS; j++) {
            bh_close(&live->streams[i][j]);
        }
    }
    live->n_clients = 0;
}

void live_free(struct live_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        struct live *live;
        while ((live = table->buckets[i])) {
            table->buckets[i] = live->next;
            bh_channel_free(live->monitor);
            close_streams(live);
            free(live);
        }
    }
    (void)pthread_cond_destroy(&table->changed);
    (void)pthread_mutex_destroy(&table->mutex);
    free(table);
}

static struct live **bucket_of(struct live_table *table, const uint8_t *id)
{
    return &table->buckets[(id[0] | (unsigned)id[1] << 8) % BUCKETS];
}

struct live *live_get(struct live_table *table, const uint8_t *id, struct bh_error *error)
{
    (void)pthread_mutex_lock(&table->mutex);
    struct live **bucket = bucket_of(table, id);
    struct live *live = *bucket;
    while (live && memcmp(live->id, id, sizeof live->id) != 0) {
        live = live->next;
    }
    if (!live && (live = calloc(1, sizeof *live))) {
        live->table = table;
        memcpy(live->id, id, sizeof live->id);
        live->next = *bucket;
        *bucket = live;
    }
    if (live) {
        live->references++;
    } else {
        (void)bh_error_errno(error, ENOMEM, "keep a container in mind");
    }
    (void)pthread_mutex_unlock(&table->mutex);
    return live;
}

void live_put(struct live *live)
{
    struct live_table *table = live->table;
    (void)pthread_mutex_lock(&table->mutex);
    if (--live->references == 0 && !live->running && !live->monitor && live->n_clients == 0) {
        for (struct live **link = bucket_of(table, live->id); *link; link = &(*link)->next) {
            if (*link == live) {
                *link = live->next;
                break;
            }
        }
        free(live);
    }
    (void)pthread_mutex_unlock(&table->mutex);
}

void live_cleanup(struct live **live)
{
    if (*live) {
        live_put(*live);
    }
}

int live_lock(struct live *live, struct job *job, struct bh_error *error)
{
    struct live_table *table = live->table;
    int result = 0;
    (void)pthread_mutex_lock(&table->mutex);
    while (live->locked && (result = job_check(job, error)) == 0) {
        (void)pthread_cond_wait(&table->changed, &table->mutex);
    }
    if (result == 0) {
        live->locked = true;
    }
    (void)pthread_mutex_unlock(&table->mutex);
    return result;
}

void live_unlock(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->locked = false;
    (void)pthread_cond_broadcast(&live->table->changed);
    (void)pthread_mutex_unlock(&live->table->mutex);
}

void live_unlock_cleanup(struct live **live)
{
    if (*live) {
        live_unlock(*live);
    }
}

void live_wake(struct live_table *table)
{
    (void)pthread_mutex_lock(&table->mutex);
    (void)pthread_cond_broadcast(&table->changed);
    (void)pthread_mutex_unlock(&table->mutex);
}

void live_set_running(struct live *live, bool running)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->running = running;
    (void)pthread_cond_broadcast(&live->table->changed);
    (void)pthread_mutex_unlock(&live->table->mutex);
}

bool live_is_running(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    bool running = live->running;
    (void)pthread_mutex_unlock(&live->table->mutex);
    return running;
}

int live_wait_stopped(struct live *live, struct job *job, int64_t timeout_ms, struct bh_error *error)
{
    struct live_table *table = live->table;
    uint64_t until_ms = bh_now_ms() + (timeout_ms < 0 ? 0 : (uint64_t)timeout_ms);
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000L};
    int waited = 0, cancelled = 0;
    (void)pthread_mutex_lock(&table->mutex);
    while (live->running && waited == 0 && (cancelled = job_check(job, error)) == 0) {
        waited = timeout_ms < 0 ? pthread_cond_wait(&table->changed, &table->mutex)
                                : pthread_cond_timedwait(&table->changed, &table->mutex, &until);
    }
    bool stopped = !live->running;
    (void)pthread_mutex_unlock(&table->mutex);
    return stopped ? 1 : cancelled;
}

void live_begin_signal(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->signals++;
    (void)pthread_mutex_unlock(&live->table->mutex);
}

void live_end_signal(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->signals--;
    (void)pthread_cond_broadcast(&live->table->changed);
    (void)pthread_mutex_unlock(&live->table->mutex);
}

void live_wait_signals(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    while (live->signals > 0) {
        (void)pthread_cond_wait(&live->table->changed, &live->table->mutex);
    }
    (void)pthread_mutex_unlock(&live->table->mutex);
}

void live_keep_through_restart(struct live *live, bool keep)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->restarts = keep ? live->restarts + 1 : live->restarts - 1;
    (void)pthread_mutex_unlock(&live->table->mutex);
}

bool live_is_kept_through_restart(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    bool kept = live->restarts > 0;
    (void)pthread_mutex_unlock(&live->table->mutex);
    return kept;
}

void live_set_monitor(struct live *live, struct bh_channel *monitor)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->monitor = monitor;
    (void)pthread_mutex_unlock(&live->table->mutex);
}

bool live_has_monitor(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    bool has = live->monitor != NULL;
    (void)pthread_mutex_unlock(&live->table->mutex);
    return has;
}

struct bh_channel *live_borrow_monitor(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    struct bh_channel *monitor = live->monitor;
    live->borrowers += monitor != NULL;
    (void)pthread_mutex_unlock(&live->table->mutex);
    return monitor;
}

void live_return_monitor(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    live->borrowers--;
    (void)pthread_cond_broadcast(&live->table->changed);
    (void)pthread_mutex_unlock(&live->table->mutex);
}

void live_drop_monitor(struct live *live)
{
    (void)pthread_mutex_lock(&live->table->mutex);
    struct bh_channel *monitor = bh_steal_pointer(&live->monitor);
    while (live->borrowers > 0) {
        (void)pthread_cond_wait(&live->table->changed, &live->table->mutex);
    }
    (void)pthread_mutex_unlock(&live->table->mutex);
    bh_channel_free(monitor);
}

/* A pipe's writing end says POLLERR once its reader is gone: such a client left without being started. */
static bool client_is_gone(const int streams[static LIVE_STREAMS])
{
    struct pollfd ends[2] = {{.fd = streams[1]}, {.fd = streams[2]}};
    return poll(ends, 2, 0) > 0 && ((ends[0].revents | ends[1].revents) & POLLERR);
}

static void forget_gone_clients(struct live *live)
{
    size_t kept = 0;
    for (size_t i = 0; i < live->n_clients; i++) {
        if (client_is_gone(live->streams[i])) {
            for (size_t j = 0; j < LIVE_STREAMS; j++) {
                bh_close(&live->streams[i][j]);
            }
        } else {
            memmove(live->streams[kept++], live->streams[i], sizeof live->streams[i]);
        }
    }
    live->n_clients = kept;
}

int live_keep_streams(struct live *live, const int streams[static LIVE_STREAMS], struct bh_error *error)
{
    int result = 0;
    (void)pthread_mutex_lock(&live->table->mutex);
    forget_gone_clients(live);
    if (live->running) {
        result = bh_error_set(error, BH_FAILED_PRECONDITION, "the container was started meanwhile");
    } else if (live->n_clients == BH_ATTACHMENTS_MAX) {
        result = bh_error_set(error, BH_RESOURCE_EXHAUSTED,
                              "%d clients are attached to this container before its start: that is the limit",
                              BH_ATTACHMENTS_MAX);
    } else {
        memcpy(live->streams[live->n_clients++], streams, sizeof live->streams[0]);
    }
    (void)pthread_mutex_unlock(&live->table->mutex);
    for (size_t i = 0; result < 0 && i < LIVE_STREAMS; i++) {
        int stream = streams[i];
        bh_close(&stream);
    }
    return result;
}

size_t live_take_streams(struct live *live, int ret_streams[static BH_ATTACHMENTS_MAX * LIVE_STREAMS])
{
    (void)pthread_mutex_lock(&live->table->mutex);
    forget_gone_clients(live);
    size_t n_clients = live->n_clients;
    for (size_t i = 0; i < n_clients; i++) {
        memcpy(&ret_streams[i * LIVE_STREAMS], live->streams[i], sizeof live->streams[i]);
    }
    live->n_clients = 0;
    (void)pthread_mutex_unlock(&live->table->mutex);
    return n_clients;
}
