/* SPDX-License-Identifier: Apache-2.0
 *
 * Stop, kill, restart, pause, and what a start by a client asks; see lifecycle.h.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "services/engine/adopt.h"
#include "services/engine/containers.h"
#include "services/engine/database_restart.h"
#include "services/engine/events.h"
#include "services/engine/exits.h"
#include "services/engine/health.h"
#include "services/engine/lifecycle.h"
#include "services/engine/policy.h"
#include "services/engine/resolve.h"
#include "services/engine/restarts.h"
#include "services/engine/signals.h"

#define STOP_TIMEOUT_S   10U   /* Docker's */
#define KILL_PATIENCE_MS 60000 /* a killed process may sit in the kernel for a while */

/* ---- start -------------------------------------------------------------------------------------- */

/* Looks at the row under the lock and starts it. *ret_unchanged: it runs already. */
static int start_locked(struct job *job, const char *reference, struct live *live, const uint8_t *id,
                        bool *ret_unchanged, struct bh_error *error)
{
    container_row_auto struct container_row row = {0};
    if (database_container(job->engine->database, id, &row, error) < 0) {
        return error->code == BH_NOT_FOUND ? bh_error_set(error, BH_NOT_FOUND, "No such container: %s", reference) : -1;
    }
    *ret_unchanged = row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING ||
                     row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING;
    if (*ret_unchanged) {
        return 0;
    }
    if (row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "cannot start a paused container, try unpause instead");
    }
    if (row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_REMOVING ||
        row.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_DEAD) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "container is marked for removal and cannot be started: remove \"/%s\" again", row.name);
    }
    if (row.state.stop_asked != STOP_NOT_ASKED &&
        database_set_stop_asked(job->engine->database, id, STOP_NOT_ASKED, error) < 0) {
        return -1;
    }
    row.state.stop_asked = STOP_NOT_ASKED; /* a start by a client begins its policy's count anew */
    row.state.restart_count = 0;
    row.state.restart_wait_ms = 0;
    return lifecycle_start(job, &row, live, error);
}

int run_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__RunContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    bool unchanged = false;
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (start_locked(job, question->reference, live, row.id, &unchanged, error) < 0) {
        return -1;
    }
    return unchanged ? job_reply_unchanged(job) : job_reply_done(job);
}

/* ---- signals ------------------------------------------------------------------------------------ */

/* 1 sent, 0 it has just ended. */
static int send_and_tell(struct job *job, const struct container_row *row, uint32_t number, struct bh_error *error)
{
    char text[16];
    if (policy_signal(job, row->id, row->tenant_uid, number, error) < 0) {
        if (error->code != BH_NOT_FOUND && error->code != BH_FAILED_PRECONDITION) {
            return -1;
        }
        bh_error_clear(error);
        return 0;
    }
    (void)snprintf(text, sizeof text, "%u", number);
    events_emit_container(job->engine, row, "kill", (const char *[]){"signal", text, NULL});
    return 1;
}

/* Sends one; a container that has just ended is as good as signalled. */
static int send_signal(struct job *job, const struct container_row *row, struct live *live, uint32_t number,
                       struct bh_error *error)
{
    live_begin_signal(live);
    int sent = send_and_tell(job, row, number, error);
    live_end_signal(live);
    struct bh_error ignored;
    if (sent > 0 && number == SIGKILL && row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED) {
        (void)policy_freeze(job, row, false, &ignored); /* a frozen cgroup of version 1 does not even die */
    }
    return sent < 0 ? -1 : 0;
}

int lifecycle_kill(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error)
{
    job_shield(job);
    if (send_signal(job, row, live, SIGKILL, error) < 0) {
        return -1;
    }
    int stopped = live_wait_stopped(live, job, KILL_PATIENCE_MS, error);
    if (stopped == 0) {
        return bh_error_set(error, BH_DEADLINE_EXCEEDED,
                            "container \"/%s\" was killed and has not ended after %d seconds", row->name,
                            KILL_PATIENCE_MS / 1000);
    }
    return stopped < 0 ? -1 : 0;
}

static int64_t timeout_ms(const struct container_row *row, bool asked, uint32_t timeout_s)
{
    if (!asked) {
        bool own = row->request->stop_timeout_s_presence_case ==
                   BULKHEAD__CONTAINER_REQUEST__STOP_TIMEOUT_S_PRESENCE_STOP_TIMEOUT_S;
        timeout_s = own ? row->request->stop_timeout_s : STOP_TIMEOUT_S;
    }
    return timeout_s == UINT32_MAX ? -1 : (int64_t)timeout_s * 1000;
}

/* The signal the container, or else its image, says it stops by. False: neither says. */
static bool own_signal(struct job *job, const struct container_row *row, uint32_t *ret_number)
{
    image_row_auto struct image_row image = {0};
    struct bh_error ignored;
    if (row->request->stop_signal[0]) {
        return signal_parse(row->request->stop_signal, ret_number, &ignored) == 0;
    }
    return database_image(job->engine->database, row->tenant_uid, &row->image, &image, &ignored) == 0 &&
           image.config->stop_signal[0] && signal_parse(image.config->stop_signal, ret_number, &ignored) == 0;
}

/* The signal that was asked for, or the container's own, or SIGTERM. */
static int choose_signal(struct job *job, const struct container_row *row, const char *asked, uint32_t *ret_number,
                         struct bh_error *error)
{
    if (asked[0]) {
        return signal_parse(asked, ret_number, error);
    }
    if (!own_signal(job, row, ret_number)) {
        *ret_number = SIGTERM;
    }
    return 0;
}

/* Asks it to end, and makes it after the timeout. */
static int make_end(struct job *job, const struct container_row *row, struct live *live, uint32_t number,
                    int64_t patience_ms, struct bh_error *error)
{
    job_shield(job); /* what was asked to end is made to, whoever still waits for it */
    if (patience_ms != 0) {
        if (send_signal(job, row, live, number, error) < 0) {
            return -1;
        }
        int stopped = live_wait_stopped(live, job, patience_ms, error);
        if (stopped != 0) {
            return stopped < 0 ? -1 : 0;
        }
    }
    return lifecycle_kill(job, row, live, error);
}

/* Stops a container that runs, or is about to be started again by its policy: that it was asked to is written down
 * first, so that the policy heeds it whoever sees the end. */
static int stop(struct job *job, const struct container_row *row, struct live *live, const char *signal,
                int64_t patience_ms, struct bh_error *error)
{
    uint32_t number;
    if (choose_signal(job, row, signal, &number, error) < 0 ||
        database_set_stop_asked(job->engine->database, row->id, STOP_ASKED, error) < 0) {
        return -1;
    }
    int gave_up = container_runs(&row->state) ? 0 : restarts_give_up(job, live, row->id, error);
    if (gave_up < 0) {
        return -1;
    }
    if (gave_up == 0 && (make_end(job, row, live, number, patience_ms, error) < 0 ||
                         restarts_give_up(job, live, row->id, error) < 0)) { /* it had just ended by itself */
        return -1;
    }
    events_emit_container(job->engine, row, "stop", NULL);
    return 0;
}

int stop_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__StopContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live) {
        return -1;
    }
    if (!container_is_active(&row.state)) {
        return job_reply_unchanged(job);
    }
    bool asked = question->timeout_s_presence_case == BULKHEAD__STOP_CONTAINER__TIMEOUT_S_PRESENCE_TIMEOUT_S;
    if (stop(job, &row, live, question->signal, timeout_ms(&row, asked, question->timeout_s), error) < 0) {
        return -1;
    }
    return job_reply_done(job);
}

/* What a signal tells the restart policy, by Docker's rules: any is a stop, unless the container has a signal of its
 * own to stop by and this is another. */
static enum stop_asked stop_by_signal(struct job *job, const struct container_row *row, uint32_t number)
{
    uint32_t own;
    return number == SIGKILL || !own_signal(job, row, &own) || own == number ? STOP_ASKED : STOP_BY_SIGNAL;
}

static int not_running(const struct container_row *row, const char *reference, struct bh_error *error)
{
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row->id, sizeof id.bytes);
    return bh_error_set(error, BH_FAILED_PRECONDITION, "cannot kill container: %s: container %s is not running",
                        reference, bh_digest_hex(&id, hex));
}

int kill_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__KillContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    uint32_t number;
    if (adoption_wait(job, error) < 0 ||
        signal_parse(question->signal[0] ? question->signal : "KILL", &number, error) < 0 ||
        resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live) {
        return -1;
    }
    if (!container_is_active(&row.state)) {
        return not_running(&row, question->reference, error);
    }
    if (row.request->restart_policy[0] && strcmp(row.request->restart_policy, "no") != 0 &&
        database_set_stop_asked(job->engine->database, row.id, stop_by_signal(job, &row, number), error) < 0) {
        return -1;
    }
    int gave_up = container_runs(&row.state) ? 0 : restarts_give_up(job, live, row.id, error);
    if (gave_up != 0) {
        return gave_up < 0 ? -1 : job_reply_done(job);
    }
    int result =
        number == SIGKILL ? lifecycle_kill(job, &row, live, error) : send_signal(job, &row, live, number, error);
    return result < 0 ? -1 : job_reply_done(job);
}

/* Stops it if need be, and starts it. */
static int stop_and_start(struct job *job, const Bulkhead__RestartContainer *question, const struct container_row *row,
                          struct live *live, struct bh_error *error)
{
    bool asked = question->timeout_s_presence_case == BULKHEAD__RESTART_CONTAINER__TIMEOUT_S_PRESENCE_TIMEOUT_S;
    bool unchanged = false;
    if (container_is_active(&row->state) &&
        stop(job, row, live, question->signal, timeout_ms(row, asked, question->timeout_s), error) < 0) {
        return -1;
    }
    if (live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    return start_locked(job, question->reference, live, row->id, &unchanged, error);
}

static int restart(struct job *job, const Bulkhead__RestartContainer *question, const struct container_row *row,
                   struct live *live, struct bh_error *error)
{
    live_keep_through_restart(live, true); /* --rm does not take it away in between */
    int result = stop_and_start(job, question, row, live, error);
    live_keep_through_restart(live, false);
    if (result == 0) {
        events_emit_container(job->engine, row, "restart", NULL);
    }
    return result;
}

int restart_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__RestartContainer *question = job_body(job);
    container_row_auto struct container_row row = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live) {
        return -1;
    }
    return restart(job, question, &row, live, error) < 0 ? -1 : job_reply_done(job);
}

int lifecycle_stop(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error)
{
    return stop(job, row, live, "", timeout_ms(row, false, 0), error);
}

int lifecycle_restart(struct job *job, const struct container_row *row, struct live *live, struct bh_error *error)
{
    Bulkhead__RestartContainer question = BULKHEAD__RESTART_CONTAINER__INIT;
    question.reference = (char *)(uintptr_t)row->name;
    return restart(job, &question, row, live, error);
}

int pause_container(struct job *job, struct bh_error *error)
{
    const Bulkhead__PauseContainer *question = job_body(job);
    container_row_auto struct container_row row = {0}, now = {0};
    if (adoption_wait(job, error) < 0 || resolve_container(job, question->reference, &row, error) < 0) {
        return -1;
    }
    live_auto struct live *live = live_get(job->engine->live, row.id, error);
    if (!live || live_lock(live, job, error) < 0) {
        return -1;
    }
    live_locked lock = live;
    if (database_container(job->engine->database, row.id, &now, error) < 0) {
        return -1;
    }
    if (now.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING) {
        return bh_error_set(error, BH_FAILED_PRECONDITION,
                            "Container %s is restarting, wait until the container is running", question->reference);
    }
    bool is_paused = now.state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_PAUSED;
    struct bh_digest id;
    char hex[BH_DIGEST_HEX_SIZE];
    memcpy(id.bytes, row.id, sizeof id.bytes);
    if (question->paused && !container_runs(&now.state)) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Container %s is not running", bh_digest_hex(&id, hex));
    }
    if (is_paused == question->paused) {
        return bh_error_set(error, BH_FAILED_PRECONDITION, "Container %s is %s paused", bh_digest_hex(&id, hex),
                            is_paused ? "already" : "not");
    }
    job_shield(job);
    if (policy_freeze(job, &now, question->paused, error) < 0 ||
        exits_set_paused(job->engine, live, &now, question->paused, error) < 0) {
        return -1;
    }
    health_paused(job->engine, now.id, question->paused);
    return job_reply_done(job);
}
