/* SPDX-License-Identifier: Apache-2.0
 *
 * The start of one container; see lifecycle.h. What was allocated for a start that fails is free again when its client
 * hears of it.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "common/io.h"
#include "common/log.h"
#include "services/engine/adopt.h"
#include "services/engine/attach.h"
#include "services/engine/attachment.h"
#include "services/engine/containers.h"
#include "services/engine/database_restart.h"
#include "services/engine/events.h"
#include "services/engine/exits.h"
#include "services/engine/health.h"
#include "services/engine/lifecycle.h"
#include "services/engine/log_options.h"
#include "services/engine/policy.h"
#include "services/engine/shared.h"
#include "services/engine/volumes.h"
#include "services/engine/waiters.h"

/* A launch takes tens of milliseconds, on a slow disk a few hundred; a helper is started again within seconds. */
#define FIND_OUT_MS       15000
#define FIND_OUT_LOOKS    12
#define FIND_OUT_PAUSE_MS 50

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127
#define EXIT_NOT_STARTED    128

static void close_all(int *fds, size_t n_fds)
{
    for (size_t i = 0; i < n_fds; i++) {
        bh_close(&fds[i]);
    }
}

/* What Docker says that a start returned. `launched`: the failure may be about the program itself. */
static int32_t exit_code_of(const struct bh_error *failure, bool launched)
{
    return launched && failure->code == BH_NOT_FOUND           ? EXIT_NOT_FOUND
           : launched && failure->code == BH_PERMISSION_DENIED ? EXIT_NOT_EXECUTABLE
                                                               : EXIT_NOT_STARTED;
}

/* The start failed: the row says why, and clients who waited for the container's streams see their end. */
static void record_failure(struct job *job, struct container_row *row, struct live *live,
                           const struct bh_error *failure, bool launched)
{
    struct bh_error ignored;
    int streams[BH_ATTACHMENTS_MAX * LIVE_STREAMS];
    const bool restarting = row->state.status == BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING;
    if (restarting && (failure->code == BH_UNAVAILABLE || failure->code == BH_DEADLINE_EXCEEDED)) {
        return; /* it is tried again */
    }
    if (restarting) {
        row->state.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_EXITED;
    }
    row->state.exit_code = exit_code_of(failure, launched);
    (void)bh_error_format(failure, row->state.error, sizeof row->state.error);
    (void)database_set_state(job->engine->database, row->id, &row->state, NULL, &ignored);
    close_all(streams, live_take_streams(live, streams) * LIVE_STREAMS);
    if (!row->auto_remove) {
        waiters_exited(job->engine->waiters, row->id, row->state.exit_code, "");
    } else if (container_remove(job, row, live, &ignored) < 0) {
        bh_log_failure(BH_LOG_WARNING, &ignored, "a container that did not start could not be removed");
    }
}

/* The answer to a start was lost. A launch that was under way goes on without its executor, so it is looked for until
 * it can no longer be on its way. 0: it runs, or has run already (*ret_started has no monitor then). */
static int find_out(struct job *job, const struct container_row *row, struct policy_started *ret_started,
                    struct bh_error *error)
{
    const uint64_t until_ms = bh_now_ms() + FIND_OUT_MS;
    struct policy_found found = {0};
    struct bh_error unknown = {0};
    int answers = 0;
    while (answers < FIND_OUT_LOOKS && bh_now_ms() < until_ms && !job_cancelled(job)) {
        bh_error_clear(&unknown);
        int looked = policy_inspect(job, row->id, row->tenant_uid, &found, &unknown);
        bool ended = looked == 0 && found.has_exit && found.finished_at_ns > row->state.finished_at_ns;
        if (looked == 0 && (found.running || ended)) {
            *ret_started = (struct policy_started){
                .pid = found.running ? found.pid : 0, .started_at_ns = found.started_at_ns, .monitor = -1};
            bh_error_clear(error);
            (void)policy_open_monitor(job, row->id, row->tenant_uid, &ret_started->monitor, &unknown);
            return 0;
        }
        answers += looked == 0 || unknown.code == BH_NOT_FOUND;
        (void)poll(NULL, 0, FIND_OUT_PAUSE_MS);
    }
    return -1;
}

/* Nobody knows whether it was started, and its client is told that it was not: if it turns up, it is ended. */
static void give_up_start(struct job *job, const struct container_row *row)
{
    struct bh_error other = {0};
    if (row->state.status != BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RESTARTING &&
        database_set_stop_asked(job->engine->database, row->id, STOP_ASKED, &other) < 0) {
        bh_log_failure(BH_LOG_WARNING, &other, row->name);
    }
    adoption_later(job->engine);
}

/* It is linked: the ports as they were taken are in the answer, or (that was lost) netd is asked once more. */
static void note_ports(struct job *job, const struct container_row *row, struct policy_started *started)
{
    bh_automessage struct bh_message *answer = bh_steal_pointer(&started->answer);
    struct bh_error error = {0};
    if (!row->spec->attachment) {
        return;
    }
    if (answer) {
        const Bulkhead__ContainerStarted *body = bh_message_body(answer);
        attachment_started(job, row, body->ports, body->n_ports);
    } else if (attachment_renew(job, row, &error) < 0) {
        bh_log_failure(BH_LOG_WARNING, &error, row->name);
    }
}

int lifecycle_start(struct job *job, struct container_row *row, struct live *live, struct bh_error *error)
{
    int streams[BH_ATTACHMENTS_MAX * LIVE_STREAMS];
    struct policy_started started = {.monitor = -1};
    job_shield(job);
    size_t n_clients = live_take_streams(live, streams);
    int result = log_options_name(row->spec, row->name, error);
    if (result == 0) {
        result = shared_fill(job, row->request, row->spec, error);
    }
    if (result == 0) {
        result = attachment_begin(job, row, error);
    }
    const bool launched = result == 0;
    if (result == 0) {
        result = policy_start(job, row->spec, streams, n_clients, &started, error);
    }
    if (result < 0 && launched) {
        attachment_word_failure(row, error);
    }
    close_all(streams, n_clients * LIVE_STREAMS);
    if (result < 0 && launched && (error->code == BH_UNAVAILABLE || error->code == BH_DEADLINE_EXCEEDED)) {
        result = find_out(job, row, &started, error);
        if (result < 0) {
            give_up_start(job, row);
        }
    }
    if (result < 0) {
        attachment_end(job, row);
        record_failure(job, row, live, error, launched);
        return -1;
    }
    note_ports(job, row, &started);
    row->state = (struct container_state){.status = BULKHEAD__CONTAINER_STATUS__CONTAINER_STATUS_RUNNING,
                                          .pid = started.pid,
                                          .started_at_ns = started.started_at_ns,
                                          .finished_at_ns = row->state.finished_at_ns,
                                          .restart_count = row->state.restart_count,
                                          .restart_wait_ms = row->state.restart_wait_ms,
                                          .stop_asked = row->state.stop_asked};
    bh_autoclose int monitor = started.monitor;
    live_set_running(live, true);
    volumes_emit_mounts(job->engine, row, true);
    const struct engine_event event = EVENT_OF_CONTAINER(row, "start");
    int recorded = database_set_state(job->engine->database, row->id, &row->state, &event, error);
    struct bh_error other = {0};
    int watched = monitor >= 0 ? exits_watch(job->engine, live, row->id, row->tenant_uid, started.started_at_ns,
                                             bh_steal_fd(&monitor), &other)
                               : exits_look_soon(job->engine, row->id, row->tenant_uid, started.started_at_ns, &other);
    if (recorded < 0 || watched < 0) { /* no room for its row, or no memory: it may not run unrecorded */
        *error = recorded < 0 ? *error : other;
        (void)policy_signal(job, row->id, row->tenant_uid, SIGKILL, &other);
        adoption_later(job->engine);
        return -1;
    }
    attach_latecomers(job, live);
    health_started(job, row);
    return 0;
}
