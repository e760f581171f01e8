/* SPDX-License-Identifier: Apache-2.0
 *
 * See restarts.h.
 */
#include "services/engine/restarts.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "services/engine/containers.h"
#include "services/engine/database_restart.h"
#include "services/engine/lifecycle.h"
#include "services/engine/restart_policy.h"
#include "services/engine/waiters.h"

#define NS_PER_MS    1000000LL
#define TRY_AGAIN_MS 1000U /* a helper that the start needs is being started itself */

/* ---- starting one ------------------------------------------------------------------------------- */

/* A failure that says nothing about the container: it is tried again. */
static bool is_passing(const struct bh_error *error)
{
    return error->code == BH_UNAVAILABLE || error->code == BH_DEADLINE_EXCEEDED;
}

static int start_again(struct job *job, const uint8_t *id, struct live *live, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return error->code == BH_NOT_FOUND ? 0 : -1;
    }
    if (row.state.status != BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING ||
        row.state.restart_at_ns > bh_wall_ns() || row.state.stop_asked == STOP_ASKED) {
        return 0; /* it was stopped, removed or started meanwhile */
    }
    job->tenant_uid = row.tenant_uid;
    if (lifecycle_start(job, &row, live, error) == 0) {
        return 0;
    }
    if (is_passing(error)) {
        struct bh_error other = {0};
        row.state.restart_at_ns = bh_wall_ns() + TRY_AGAIN_MS * NS_PER_MS;
        if (database_set_restarting(job->engine->database, id, &row.state, NULL, &other) > 0) {
            restarts_look_in(job->engine, TRY_AGAIN_MS);
        }
    }
    return bh_error_wrap(error, "start container \"/%s\" again", row.name);
}

/* Runs as a job, with the container's id. */
static int restart_one(struct job *job, struct bh_error *error)
{
    bh_autofree uint8_t *id = job->argument;
    live_auto struct live *live = live_get(job->engine->live, id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    return start_again(job, id, live, error);
}

/* ---- the timer ---------------------------------------------------------------------------------- */

static int start_due(struct job *job, const struct restart_due *due, struct bh_error *error)
{
    uint8_t *id = malloc(sizeof due->id);
    if (!id) {
        return bh_error_errno(error, ENOMEM, "start a container again");
    }
    memcpy(id, due->id, sizeof due->id);
    if (jobs_start(job->engine->jobs, restart_one, id, error) < 0) {
        free(id);
        return -1;
    }
    return 0;
}

/* Runs as a job: starts what is due, and comes back for the next. */
static int look(struct job *job, struct bh_error *error)
{
    bh_autofree struct restart_due *due = NULL;
    size_t n_due = 0;
    if (database_restarting(job->engine->database, &due, &n_due, error) < 0) {
        return -1;
    }
    const int64_t now_ns = bh_wall_ns();
    for (size_t i = 0; i < n_due; i++) {
        if (due[i].at_ns > now_ns) {
            int64_t left_ms = (due[i].at_ns - now_ns) / NS_PER_MS + 1;
            restarts_look_in(job->engine, left_ms < RESTART_WAIT_MAX_MS ? (uint32_t)left_ms : RESTART_WAIT_MAX_MS);
            break;
        }
        if (start_due(job, &due[i], error) < 0) {
            return -1;
        }
    }
    return 0;
}

/* On the loop. */
static void on_time(evutil_socket_t fd, short what, void *argument)
{
    struct engine *engine = argument;
    struct bh_error error = {0};
    (void)fd;
    (void)what;
    if (engine->jobs && jobs_start(engine->jobs, look, NULL, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "containers cannot be started again");
    }
}

void restarts_look_in(struct engine *engine, uint32_t wait_ms)
{
    const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = (suseconds_t)(wait_ms % 1000) * 1000};
    (void)event_base_once(engine->context->base, -1, EV_TIMEOUT, on_time, engine, &wait);
}

/* ---- the start of the engine, and stops --------------------------------------------------------- */

static void resume_after_boot(struct job *job, struct bh_error *error)
{
    struct container_row *rows = NULL;
    size_t n_rows = 0;
    if (database_containers(job->engine->database, 0, true, &rows, &n_rows, error) < 0) {
        bh_log_failure(BH_LOG_WARNING, error, "containers cannot be started after the host has booted");
        return;
    }
    for (size_t i = 0; i < n_rows; i++) {
        if (!restart_wanted_after_boot(rows[i].request, &rows[i].state)) {
            continue;
        }
        struct container_state state = rows[i].state;
        state.restart_at_ns = bh_wall_ns();
        state.restart_wait_ms = 0;
        state.stop_asked = STOP_NOT_ASKED;
        if (database_set_stop_asked(job->engine->database, rows[i].id, STOP_NOT_ASKED, error) < 0 ||
            database_set_restarting(job->engine->database, rows[i].id, &state, NULL, error) < 0) {
            bh_log_failure(BH_LOG_WARNING, error, rows[i].name);
        }
    }
    container_rows_free(rows, n_rows);
}

void restarts_resume(struct job *job)
{
    const char *boot_id = job->engine->context->config->boot_id;
    struct bh_error error = {0};
    bool new_boot = false;
    if (boot_id[0] && database_note_boot(job->engine->database, boot_id, &new_boot, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, "the host's boot cannot be noted");
    }
    if (new_boot) {
        resume_after_boot(job, &error);
    }
    restarts_look_in(job->engine, 0);
}

int restarts_give_up(struct job *job, struct live *live, const uint8_t *id, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    if (live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return -1;
    }
    if (row.state.status != BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING) {
        return 0;
    }
    row.state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED;
    row.state.restart_at_ns = 0;
    if (database_set_state(job->engine->database, id, &row.state, NULL, error) < 0) {
        return -1;
    }
    waiters_exited(job->engine->waiters, id, row.state.exit_code, row.state.error);
    return 1;
}
