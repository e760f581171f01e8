/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheduler of health checks; see health.h. One list, one timer: when it fires, what is due is given to jobs. Rows,
 * execs and events are touched without the list's lock.
 */
#include "services/engine/health.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/fields.h"
#include "common/io.h"
#include "common/log.h"
#include "services/engine/containers.h"
#include "services/engine/events.h"
#include "services/engine/execs.h"
#include "services/engine/health_check.h"
#include "services/engine/lifecycle.h"
#include "services/engine/policy_exec.h"

#define NEVER         UINT64_MAX
#define TENANT_MAX    32  /* checks of one tenant under way */
#define FULL_AGAIN_MS 500 /* one that found no room is tried again */
#define MS_NS         1000000
#define OUTPUT_BYTES  (BH_KEPT_OUTPUT_MAX + 256)

/* A running container with a check. */
struct checked {
    struct checked *next;
    uint8_t id[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
    int64_t started_at_ns;
    enum health_on_failure on_failure;
    Bulkhead__Healthcheck *check;
    Bulkhead__Health *health;
    uint64_t due_ms; /* when it is checked next; NEVER while it is, or is paused */
    bool paused;
    /* the check under way */
    bool probing, timed_out;
    uint8_t exec[ENGINE_ID_BYTES];
    uint64_t deadline_ms;
    int64_t probe_started_ns;
};

struct health {
    struct engine *engine;
    pthread_mutex_t mutex;
    struct event *timer;
    struct checked *first;
};

/* What a job is about: a container, or one exec of it. */
struct errand {
    uint8_t container[ENGINE_ID_BYTES], exec[ENGINE_ID_BYTES];
    uint32_t tenant_uid;
};

static int run_probe(struct job *job, struct bh_error *error);
static int end_probe(struct job *job, struct bh_error *error);

/* ---- the list (under its lock) ---------------------------------------------------------------------- */

static void checked_free(struct checked *checked)
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

static struct checked *find(struct health *health, const uint8_t *id)
{
    struct checked *checked = health->first;
    while (checked && memcmp(checked->id, id, sizeof checked->id) != 0) {
        checked = checked->next;
    }
    return checked;
}

static struct checked *take(struct health *health, const uint8_t *id)
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

static void schedule(struct checked *checked)
{
    int64_t interval_ns =
        health_check_interval_ns(checked->check, checked->health, bh_wall_ns() - checked->started_at_ns);
    checked->due_ms = checked->paused ? NEVER : bh_now_ms() + (uint64_t)(interval_ns / MS_NS);
}

/* When somebody has to look again. */
static uint64_t next_ms(const struct health *health)
{
    uint64_t next = NEVER;
    for (const struct checked *checked = health->first; checked; checked = checked->next) {
        uint64_t at = !checked->probing ? checked->due_ms : checked->timed_out ? NEVER : checked->deadline_ms;
        next = at < next ? at : next;
    }
    return next;
}

static void arm(struct health *health)
{
    uint64_t now = bh_now_ms(), next = next_ms(health);
    if (next != NEVER) {
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
        (void)give(health, checked, end_probe);
    } else if (!checked->probing && checked->due_ms <= now) {
        checked->due_ms = now + FULL_AGAIN_MS;
        if (count_probing(health, checked->tenant_uid) < TENANT_MAX && give(health, checked, run_probe)) {
            checked->probing = true;
            checked->timed_out = false;
            checked->deadline_ms = NEVER; /* until it has begun */
            memset(checked->exec, 0, sizeof checked->exec);
        }
    }
}

/* On the loop. */
static void on_timer(evutil_socket_t fd, short what, void *argument)
{
    struct health *health = argument;
    (void)fd;
    (void)what;
    (void)pthread_mutex_lock(&health->mutex);
    uint64_t now = bh_now_ms();
    for (struct checked *checked = health->first; checked; checked = checked->next) {
        look_at(health, checked, now);
    }
    arm(health);
    (void)pthread_mutex_unlock(&health->mutex);
}

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
    struct checked *checked = find(health, container);
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
        schedule(checked);
        arm(health);
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
    struct checked *checked = find(health, container);
    if (checked) {
        checked->probing = false;
        schedule(checked);
        arm(health);
    }
    (void)pthread_mutex_unlock(&health->mutex);
}

/* From here on its end is this check's, and its time runs. False if nobody waits for it any more. */
static bool begin(struct health *health, const uint8_t *container, const uint8_t *exec)
{
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = find(health, container);
    bool wanted = checked && checked->probing && !checked->paused;
    if (wanted) {
        memcpy(checked->exec, exec, sizeof checked->exec);
        checked->deadline_ms = bh_now_ms() + (uint64_t)(health_check_timeout_ns(checked->check) / MS_NS);
        checked->probe_started_ns = bh_wall_ns();
        arm(health);
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

static int run_probe(struct job *job, struct bh_error *error)
{
    bh_autofree struct errand *errand = job->argument;
    return start_probe(job, errand->container, error);
}

/* It takes too long. Its end comes like any other. */
static int end_probe(struct job *job, struct bh_error *error)
{
    bh_autofree struct errand *errand = job->argument;
    const struct policy_exec name = {
        .id = errand->exec, .container = errand->container, .tenant_uid = errand->tenant_uid};
    if (policy_signal_exec(job, &name, SIGKILL, error) < 0) {
        return error->code == BH_NOT_FOUND || error->code == BH_FAILED_PRECONDITION ? 0 : -1;
    }
    return 0;
}

/* ---- containers come and go -------------------------------------------------------------------------- */

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
    checked_free(take(health, checked->id));
    checked->next = health->first;
    health->first = checked;
    schedule(checked);
    arm(health);
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
    struct checked *checked = find(health, container);
    if (checked) {
        checked->paused = paused;
        schedule(checked);
        arm(health);
    }
    (void)pthread_mutex_unlock(&health->mutex);
}

/* As Docker has it, what does not run is not healthy. */
void health_ended(struct engine *engine, const uint8_t *container)
{
    struct health *health = engine->health;
    struct bh_error error = {0};
    (void)pthread_mutex_lock(&health->mutex);
    struct checked *checked = take(health, container);
    (void)pthread_mutex_unlock(&health->mutex);
    if (checked) {
        checked->health->status = BULKHEAD__HEALTH_STATUS__HEALTH_STATUS_UNHEALTHY;
        if (database_set_health(engine->database, container, checked->health, &error) < 0) {
            bh_log_failure(BH_LOG_WARNING, &error, "a container's health is not written down");
        }
        checked_free(checked);
    }
}

int health_new(struct engine *engine, struct health **ret_health, struct bh_error *error)
{
    struct health *health = calloc(1, sizeof *health);
    if (!health || !(health->timer = evtimer_new(engine->context->base, on_timer, health))) {
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
        checked_free(checked);
    }
    (void)pthread_mutex_destroy(&health->mutex);
    free(health);
}
