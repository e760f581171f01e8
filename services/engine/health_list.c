/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of checked containers and its one timer; see health_parts.h. When it fires, what is due is given to jobs.
 */
#include <stdlib.h>
#include <string.h>

#include "common/io.h"
#include "services/engine/health_parts.h"

#define TENANT_MAX    32  /* checks of one tenant under way */
#define FULL_AGAIN_MS 500 /* one that found no room is tried again */

void health_checked_free(struct checked *checked)
{
    if (checked) {
        if (checked->check) {
            bulkhead__healthcheck__free_unpacked(checked->check, NULL);
        }
        if (checked->health) {
            bulkhead__health__free_unpacked(checked->health, NULL);
        }
        free(checked);
    }
}

struct checked *health_find(struct health *health, const uint8_t *id)
{
    struct checked *checked = health->first;
    while (checked && memcmp(checked->id, id, sizeof checked->id) != 0) {
        checked = checked->next;
    }
    return checked;
}

struct checked *health_take(struct health *health, const uint8_t *id)
{
    for (struct checked **link = &health->first; *link; link = &(*link)->next) {
        struct checked *checked = *link;
        if (memcmp(checked->id, id, sizeof checked->id) == 0) {
            *link = checked->next;
            return checked;
        }
    }
    return NULL;
}

static size_t count_probing(const struct health *health, uint32_t tenant_uid)
{
    size_t n = 0;
    for (const struct checked *checked = health->first; checked; checked = checked->next) {
        n += checked->probing && checked->tenant_uid == tenant_uid;
    }
    return n;
}

void health_schedule(struct checked *checked)
{
    int64_t interval_ns =
        health_check_interval_ns(checked->check, checked->health, bh_wall_ns() - checked->started_at_ns);
    checked->due_ms = checked->paused ? HEALTH_NEVER : bh_now_ms() + (uint64_t)(interval_ns / HEALTH_MS_NS);
}

/* When somebody has to look again. */
static uint64_t next_ms(const struct health *health)
{
    uint64_t next = HEALTH_NEVER;
    for (const struct checked *checked = health->first; checked; checked = checked->next) {
        uint64_t at = !checked->probing ? checked->due_ms : checked->timed_out ? HEALTH_NEVER : checked->deadline_ms;
        next = at < next ? at : next;
    }
    return next;
}

void health_arm(struct health *health)
{
    uint64_t now = bh_now_ms(), next = next_ms(health);
    if (next != HEALTH_NEVER) {
        uint64_t wait = next > now ? next - now : 0;
        const struct timeval later = {.tv_sec = (time_t)(wait / 1000), .tv_usec = (suseconds_t)(wait % 1000) * 1000};
        (void)event_add(health->timer, &later);
    }
}

/* Gives one to a job, unless the engine is stopping. */
static bool give(struct health *health, const struct checked *checked, job_run run)
{
    struct bh_error error;
    struct errand *errand = malloc(sizeof *errand);
    if (!errand) {
        return false;
    }
    memcpy(errand->container, checked->id, sizeof errand->container);
    memcpy(errand->exec, checked->exec, sizeof errand->exec);
    errand->tenant_uid = checked->tenant_uid;
    if (jobs_start(health->engine->jobs, run, errand, &error) < 0) {
        free(errand);
        return false;
    }
    return true;
}

static void look_at(struct health *health, struct checked *checked, uint64_t now)
{
    if (checked->probing && !checked->timed_out && checked->deadline_ms <= now) {
        checked->timed_out = true;
        (void)give(health, checked, health_end_probe);
    } else if (!checked->probing && checked->due_ms <= now) {
        checked->due_ms = now + FULL_AGAIN_MS;
        if (count_probing(health, checked->tenant_uid) < TENANT_MAX && give(health, checked, health_run_probe)) {
            checked->probing = true;
            checked->timed_out = false;
            checked->deadline_ms = HEALTH_NEVER; /* until it has begun */
            memset(checked->exec, 0, sizeof checked->exec);
        }
    }
}

/* On the loop. */
void health_on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct health *health = argument;
    (void)fd;
    (void)what;
    (void)pthread_mutex_lock(&health->mutex);
    uint64_t now = bh_now_ms();
    for (struct checked *checked = health->first; checked; checked = checked->next) {
        look_at(health, checked, now);
    }
    health_arm(health);
    (void)pthread_mutex_unlock(&health->mutex);
}
