/* SPDX-License-Identifier: Apache-2.0
 *
 * One check, from its exec to what its result does; see health_parts.h. Rows, execs and events are touched without the
 * list's lock.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/fields.h"
#include "common/io.h"
#include "common/log.h"
#include "services/engine/containers.h"
#include "services/engine/events.h"
#include "services/engine/execs.h"
#include "services/engine/health_parts.h"
#include "services/engine/lifecycle.h"
#include "services/engine/policy_exec.h"

#define OUTPUT_BYTES (BH_KEPT_OUTPUT_MAX + 256)

/* ---- results -------------------------------------------------------------------------------------- */

static void act_on(struct job *job, const struct container_row *row, enum health_on_failure on_failure)
{
    struct bh_error error = {0};
    live_auto struct live *live = live_get(job->engine->live, row->id, &error);
    int result = !live                          ? -1
                 : on_failure == HEALTH_KILL    ? lifecycle_kill(job, row, live, &error)
                 : on_failure == HEALTH_STOP    ? lifecycle_stop(job, row, live, &error)
                 : on_failure == HEALTH_RESTART ? lifecycle_restart(job, row, live, &error)
                                                : 0;
    if (result < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "an unhealthy container stays as it is");
    }
}

/* What came out is written down, told, and acted on. `now` is a copy. */
static void publish(struct job *job, const uint8_t *container, const Bulkhead__Health *now, bool changed,
                    enum health_on_failure on_failure)
{
    container_row_auto struct container_row row = {0};
    struct bh_error error = {0};
    char action[64];
    if (database_set_health(job->engine->database, container, now, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "a container's health is not written down");
    }
    if (!changed || database_container(job->engine->database, container, &row, &error) < 0) {
        return;
    }
    job->tenant_uid = row.tenant_uid;
    (void)snprintf(action, sizeof action, "health_status: %s", health_word(now->status));
    events_emit_container(job->engine, &row, action, NULL);
    if (now->status == BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY && container_runs(&row.state)) {
        act_on(job, &row, on_failure);
    }
}

/* Words of our own about a check that took too long stand before what it said. */
static void word_timeout(const struct checked *checked, struct health_result *result, char *text, size_t text_bytes)
{
    char duration[64];
    int used = snprintf(text, text_bytes, "Health check exceeded timeout (%s)%s",
                        health_duration(health_check_timeout_ns(checked->check), duration, sizeof duration),
                        result->n_output ? ": " : "");
    size_t room = BH_KEPT_OUTPUT_MAX - (size_t)used;
    size_t n = result->n_output < room ? result->n_output : room;
    if (n > 0) {
        memcpy(text + used, result->output, n);
    }
    result->cut = result->cut || n < result->n_output;
    result->output = text;
    result->n_output = (size_t)used + n;
    result->exit_code = -1;
}

static void finish(struct job *job, const uint8_t *container, const uint8_t *exec, struct health_result *result)
{
    struct health *health = job->engine->health;
    ProtobufCMessage *copy = NULL;
    struct bh_error error = {0};
    char text[OUTPUT_BYTES];
    bool changed = false;
    enum health_on_failure on_failure = HEALTH_NOTHING;
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = health_find(health, container);
    if (checked && checked->probing && memcmp(checked->exec, exec, sizeof checked->exec) == 0) {
        const Bulkhead__HealthStatus before = checked->health->status;
        result->started_at_ns = checked->probe_started_ns;
        if (checked->timed_out) {
            word_timeout(checked, result, text, sizeof text);
        }
        if (health_note(checked->health, checked->check, checked->started_at_ns, result, &error) == 0) {
            (void)message_copy(&checked->health->base, &copy, &error);
        }
        changed = before != checked->health->status;
        on_failure = checked->on_failure;
        checked->probing = false;
        health_schedule(checked);
        health_arm(health);
    }
    (void)pthread_mutex_unlock(&health->mutex);
    if (copy) {
        publish(job, container, (const Bulkhead__Health *)copy, changed, on_failure);
        protobuf_c_message_free_unpacked(copy, NULL);
    }
}

void health_probed(struct job *job, const struct exec_row *row, int32_t exit_code, int64_t finished_at_ns,
                   const void *output, size_t n_output, bool cut)
{
    struct bh_error error = {0};
    struct health_result result = {
        .finished_at_ns = finished_at_ns, .exit_code = exit_code, .output = output, .n_output = n_output, .cut = cut};
    if (database_delete_exec(job->engine->database, row->id, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "the row of a health check stays for a while");
    }
    finish(job, row->container, row->id, &result);
}

/* ---- a check ---------------------------------------------------------------------------------------- */

/* It was not run after all: looked at again when it is due. */
static void give_up(struct health *health, const uint8_t *container)
{
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = health_find(health, container);
    if (checked) {
        checked->probing = false;
        health_schedule(checked);
        health_arm(health);
    }
    (void)pthread_mutex_unlock(&health->mutex);
}

/* From here on its end is this check's, and its time runs. False if nobody waits for it any more. */
static bool begin(struct health *health, const uint8_t *container, const uint8_t *exec)
{
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = health_find(health, container);
    bool wanted = checked && checked->probing && !checked->paused;
    if (wanted) {
        memcpy(checked->exec, exec, sizeof checked->exec);
        checked->deadline_ms = bh_now_ms() + (uint64_t)(health_check_timeout_ns(checked->check) / HEALTH_MS_NS);
        checked->probe_started_ns = bh_wall_ns();
        health_arm(health);
    }
    (void)pthread_mutex_unlock(&health->mutex);
    return wanted;
}

static int make_request(struct job *job, const struct container_row *container, Bulkhead__ExecRequest **ret_request,
                        struct bh_error *error)
{
    image_row_auto struct image_row image = {0};
    Bulkhead__Healthcheck check;
    Bulkhead__ExecRequest request = BULKHEAD__EXEC_REQUEST__INIT;
    ProtobufCMessage *copy = NULL;
    char **args = NULL;
    struct bh_error gone;
    (void)database_image(job->engine->database, container->tenant_uid, &container->image, &image, &gone);
    if (!health_check_merge(image.config, container->request, &check) || !health_check_runs(&check)) {
        return bh_error_set(error, BH_INTERNAL, "the health check has gone");
    }
    if (health_check_command(&check, image.config, &args, &request.n_args, error) < 0) {
        return -1;
    }
    request.args = args;
    int result = message_copy(&request.base, &copy, error);
    free(args);
    *ret_request = (Bulkhead__ExecRequest *)copy;
    return result;
}

static int start_probe(struct job *job, const uint8_t *id, struct bh_error *error)
{
    container_row_auto struct container_row container = {0};
    exec_row_auto struct exec_row row = {.probe = true};
    if (database_container(job->engine->database, id, &container, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    job->tenant_uid = container.tenant_uid;
    if (container.state.status != BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING ||
        make_request(job, &container, &row.request, error) < 0 || execs_add(job, &container, &row, error) < 0 ||
        !begin(job->engine->health, id, row.id)) {
        give_up(job->engine->health, id);
        return error->code == BH_OK ? 0 : -1;
    }
    if (execs_start(job, &container, &row, NULL, error) < 0) {
        char text[BH_ERROR_MESSAGE_SIZE], words[BH_ERROR_MESSAGE_SIZE + 64];
        const bool programs = execs_program_failed(error);
        (void)bh_error_format(error, text, sizeof text);
        int n = snprintf(words, sizeof words, "%s%s%s", programs ? "OCI runtime exec failed: " : "", text,
                         programs ? ": unknown" : "");
        bh_error_clear(error);
        health_probed(job, &row, -1, bh_wall_ns(), words, (size_t)n, false);
    }
    return 0;
}

int health_run_probe(struct job *job, struct bh_error *error)
{
    bh_autofree struct errand *errand = job->argument;
    return start_probe(job, errand->container, error);
}

int health_end_probe(struct job *job, struct bh_error *error)
{
    bh_autofree struct errand *errand = job->argument;
    const struct policy_exec name = {
        .id = errand->exec, .container = errand->container, .tenant_uid = errand->tenant_uid};
    if (policy_signal_exec(job, &name, SIGKILL, error) < 0) {
        return error->code == BH_NOT_FOUND || error->code == BH_FAILED_PRECONDITION ? 0 : -1;
    }
    return 0;
}
