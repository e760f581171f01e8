/* SPDX-License-Identifier: Apache-2.0
 *
 * Which containers' health is checked; see health.h. When they are is health_list.c's, and how health_probe.c's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/log.h"
#include "services/engine/containers.h"
#include "services/engine/health_parts.h"

static struct checked *make(const struct container_row *row, const Bulkhead__Healthcheck *check,
                            Bulkhead__Health *health, struct bh_error *error)
{
    ProtobufCMessage *copy = NULL;
    struct checked *checked = calloc(1, sizeof *checked);
    if (!checked || message_copy(&check->base, &copy, error) < 0) {
        free(checked);
        bulkhead__health__free_unpacked(health, NULL);
        (void)bh_error_errno(error, ENOMEM, "check a container's health");
        return NULL;
    }
    memcpy(checked->id, row->id, sizeof checked->id);
    checked->tenant_uid = row->tenant_uid;
    checked->started_at_ns = row->state.started_at_ns;
    checked->on_failure = health_on_failure_of(row->request->labels, row->request->n_labels);
    checked->check = (Bulkhead__Healthcheck *)copy;
    checked->health = health;
    checked->paused = row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED;
    return checked;
}

static void enter(struct health *health, struct checked *checked)
{
    (void)pthread_mutex_lock(&health->mutex);
    health_checked_free(health_take(health, checked->id));
    checked->next = health->first;
    health->first = checked;
    health_schedule(checked);
    health_arm(health);
    (void)pthread_mutex_unlock(&health->mutex);
}

/* `fresh`: the container was started just now, whatever its health was before. */
static int watch(struct job *job, const struct container_row *row, bool fresh, struct bh_error *error)
{
    image_row_auto struct image_row image = {0};
    Bulkhead__Healthcheck check;
    Bulkhead__Health *known = NULL;
    struct bh_error gone;
    (void)database_image(job->engine->database, row->tenant_uid, &row->image, &image, &gone);
    if (!health_check_merge(image.config, row->request, &check) || !health_check_runs(&check)) {
        return 0;
    }
    if (database_health(job->engine->database, row->id, &known, error) < 0) {
        return -1;
    }
    fresh = fresh || !known;
    if (!known && (known = malloc(sizeof *known))) {
        bulkhead__health__init(known);
    }
    if (!known) {
        return bh_error_errno(error, ENOMEM, "check a container's health");
    }
    if (fresh) {
        known->status = BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_STARTING;
        known->failing_streak = 0;
    }
    struct checked *checked = make(row, &check, known, error);
    if (!checked) {
        return -1;
    }
    int written = fresh ? database_set_health(job->engine->database, row->id, known, error) : 0;
    enter(job->engine->health, checked);
    return written;
}

static void watch_or_log(struct job *job, const struct container_row *row, bool fresh)
{
    struct bh_error error = {0};
    if (watch(job, row, fresh, &error) < 0) {
        bh_log_failure(BH_LOG_ERROR, &error, "a container's health is not checked");
    }
}

void health_started(struct job *job, const struct container_row *row)
{
    watch_or_log(job, row, true);
}

void health_resumed(struct job *job, const struct container_row *row)
{
    watch_or_log(job, row, false);
}

void health_paused(struct engine *engine, const uint8_t *container, bool paused)
{
    struct health *health = engine->health;
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = health_find(health, container);
    if (checked) {
        checked->paused = paused;
        health_schedule(checked);
        health_arm(health);
    }
    (void)pthread_mutex_unlock(&health->mutex);
}

/* As Docker has it, what does not run is not healthy. */
void health_ended(struct engine *engine, const uint8_t *container)
{
    struct health *health = engine->health;
    struct bh_error error = {0};
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = health_take(health, container);
    (void)pthread_mutex_unlock(&health->mutex);
    if (checked) {
        checked->health->status = BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY;
        if (database_set_health(engine->database, container, checked->health, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "a container's health is not written down");
        }
        health_checked_free(checked);
    }
}

int health_new(struct engine *engine, struct health **ret_health, struct bh_error *error)
{
    struct health *health = calloc(1, sizeof *health);
    if (!health || !(health->timer = evtimer_new(engine->context->base, health_on_timer, health))) {
        free(health);
        return bh_error_errno(error, ENOMEM, "prepare health checks");
    }
    (void)pthread_mutex_init(&health->mutex, NULL);
    health->engine = engine;
    *ret_health = health;
    return 0;
}

void health_free(struct health *health)
{
    if (!health) {
        return;
    }
    event_free(health->timer);
    while (health->first) {
        struct checked *checked = health->first;
        health->first = checked->next;
        health_checked_free(checked);
    }
    (void)pthread_mutex_destroy(&health->mutex);
    free(health);
}
